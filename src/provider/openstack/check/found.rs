//! How `check` says what it found: `image "Ubuntu 22.04" = edd1b4ce, 2026-01-01`.

use super::super::compute::{Limit, Limits};
use super::super::wire::{Flavor, Image};
use crate::model::{ImageRef, SizeRef, is_uuid};
use crate::text::{plural, printable};

/// The most characters of a name.
const MAX_NAME: usize = 100;

/// Says which image a template gets.
pub(super) fn image(wanted: &ImageRef, image: &Image) -> String {
    let name = printable(image.name.as_deref().unwrap_or_default(), MAX_NAME);
    let id = id(&image.id);
    let date = image.created_at.get(..10).filter(|date| is_date(date));
    let date = date.map(|date| format!(", {date}")).unwrap_or_default();
    match wanted {
        ImageRef::Name(wanted) if !is_uuid(wanted) => format!("image \"{name}\" = {id}{date}"),
        ImageRef::Regex(wanted) => format!("image /{}/ = \"{name}\", {id}{date}", printable(wanted, MAX_NAME)),
        ImageRef::Id(_) | ImageRef::Name(_) if name.is_empty() => format!("image {id}{date}"),
        ImageRef::Id(_) | ImageRef::Name(_) => format!("image {id} = \"{name}\"{date}"),
    }
}

/// Says which flavor a template gets.
pub(super) fn flavor(wanted: &SizeRef, flavor: &Flavor) -> String {
    let name = printable(&flavor.name, MAX_NAME);
    let wanted = match wanted {
        SizeRef::Named(wanted) => format!("\"{}\" =", printable(wanted, MAX_NAME)),
        SizeRef::Least { .. } => format!("by what it must have = \"{name}\","),
    };
    let known = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let vcpus = flavor
        .vcpus
        .size()
        .map_or_else(|| "? vCPUs".to_owned(), |vcpus| plural(vcpus, "vCPU"));
    let (ram, disk) = (known(flavor.ram.size()), known(flavor.disk.size()));
    format!("size {wanted} {}, {vcpus}, {ram} MiB, {disk} GB", id(&flavor.id))
}

/// Says that a thing with a name has this id.
pub(super) fn named(kind: &str, name: &str, found: &str) -> String {
    if is_uuid(name) {
        return format!("{kind} {}", id(name));
    }
    format!("{kind} \"{}\" = {}", printable(name, MAX_NAME), id(found))
}

/// Says that a thing is there that has no id.
pub(super) fn there(kind: &str, name: &str) -> String {
    format!("{kind} \"{}\"", printable(name, MAX_NAME))
}

/// Says what is left of each limit.
pub(super) fn limits(limits: &Limits) -> Vec<String> {
    let each: [(Limit, &str); 3] = [
        (limits.instances, "servers"),
        (limits.vcpus, "vCPUs"),
        (limits.ram_mb, "MiB of memory"),
    ];
    let sentence = |(limit, what): (Limit, &str)| match (limit.left, limit.most) {
        (Some(left), Some(most)) => format!("{left} of {most} {what} left"),
        _ => format!("no limit on {what}"),
    };
    each.into_iter().map(sentence).collect()
}

/// Shortens an id as git does: whoever wants the rest finds it by the name.
pub(super) fn id(id: &str) -> String {
    // Keystone writes ids of projects without dashes.
    let is_hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_uuid(id) || is_hex {
        return id.chars().take(8).collect();
    }
    printable(id, 60)
}

fn is_date(text: &str) -> bool {
    let digit = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.bytes().enumerate().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_short() {
        let uuid = "edd1b4ce-0000-4000-8000-123456789abc";
        let found = Image {
            id: uuid.to_owned(),
            name: Some("Ubuntu 22.04".to_owned()),
            created_at: "2026-01-01T10:00:00Z".to_owned(),
            ..Image::default()
        };
        let said = |wanted: ImageRef| image(&wanted, &found);
        let name = ImageRef::Name("Ubuntu 22.04".to_owned());
        assert_eq!(said(name), "image \"Ubuntu 22.04\" = edd1b4ce, 2026-01-01");
        let regex = ImageRef::Regex("Ubuntu .*".to_owned());
        assert_eq!(
            said(regex),
            "image /Ubuntu .*/ = \"Ubuntu 22.04\", edd1b4ce, 2026-01-01"
        );
        assert_eq!(
            said(ImageRef::Id(uuid.to_owned())),
            "image edd1b4ce = \"Ubuntu 22.04\", 2026-01-01"
        );
        assert_eq!(id("100d1e084cb44933a18ec6c456f36496"), "100d1e08");
        let small: Flavor = serde_json::from_str(r#"{"id":"1","name":"s","vcpus":1,"ram":512,"disk":1}"#).unwrap();
        let named = flavor(&SizeRef::Named("s".to_owned()), &small);
        assert_eq!(named, "size \"s\" = 1, 1 vCPU, 512 MiB, 1 GB");
        let least = SizeRef::Least {
            vcpus: 1,
            ram_mb: 1,
            disk_gb: 0,
        };
        assert_eq!(
            flavor(&least, &small),
            "size by what it must have = \"s\", 1, 1 vCPU, 512 MiB, 1 GB"
        );
    }
}
