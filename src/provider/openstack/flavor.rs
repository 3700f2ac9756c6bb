//! Which flavor a size means, and whether an image fits it.

use super::names::missing;
use super::wire::{Flavor, Image};
use crate::lenient::NumberOrText;
use crate::model::{ServerSpec, SizeRef};
use crate::text::printable;

/// Finds the flavor of a spec. What its image needs counts among what the flavor must have, where that is open.
///
/// Of several that have enough the smallest is taken: by vCPUs, then memory, then disk, then name.
pub(super) fn choose<'a>(
    flavors: &'a [Flavor],
    spec: &ServerSpec,
    image: Option<&Image>,
) -> Result<&'a Flavor, String> {
    match &spec.size {
        SizeRef::Named(wanted) => named(flavors, wanted),
        SizeRef::Least { vcpus, ram_mb, disk_gb } => {
            let mut least = Least {
                vcpus: *vcpus,
                ram: *ram_mb,
                disk: *disk_gb,
                on_volume: spec.boot_volume.is_some(),
            };
            if let Some(image) = image {
                least.ram = least.ram.max(need(image.min_ram));
                least.disk = least.disk.max(need(image.min_disk));
            }
            least.smallest(flavors)
        }
    }
}

fn named<'a>(flavors: &'a [Flavor], wanted: &str) -> Result<&'a Flavor, String> {
    let named = flavors
        .iter()
        .find(|flavor| flavor.name == wanted && !flavor.is_disabled());
    let found = named.or_else(|| {
        flavors
            .iter()
            .find(|flavor| flavor.id == wanted || flavor.name == wanted)
    });
    match found {
        Some(flavor) if flavor.is_disabled() => Err(format!(
            "the flavor \"{}\" is disabled: no new server may have it",
            printable(wanted, 100)
        )),
        Some(flavor) => Ok(flavor),
        None => Err(missing("flavor", wanted, flavors.iter().map(|f| f.name.as_str()))),
    }
}

/// What a flavor must have at least.
struct Least {
    vcpus: u64,
    /// MiB.
    ram: u64,
    /// GB.
    disk: u64,
    /// Whether the root disk is a volume, whose size is given: then the flavor's own disk is not used.
    on_volume: bool,
}

impl Least {
    fn smallest<'a>(&self, flavors: &'a [Flavor]) -> Result<&'a Flavor, String> {
        let enough = flavors
            .iter()
            .filter(|flavor| !flavor.is_disabled() && self.is_met_by(flavor));
        enough
            .min_by_key(|flavor| (sizes(flavor), &flavor.name, &flavor.id))
            .ok_or_else(|| self.unmet(flavors))
    }

    /// A flavor without a disk is good with a volume only: with its own disk Nova refuses it to users.
    fn is_met_by(&self, flavor: &Flavor) -> bool {
        let Some((vcpus, ram, disk)) = sizes(flavor) else {
            return false;
        };
        let disk = self.on_volume || (disk > 0 && disk >= self.disk);
        vcpus >= self.vcpus && ram >= self.ram && disk
    }

    /// Returns what was asked for, and the largest flavors for each amount, in words.
    fn unmet(&self, flavors: &[Flavor]) -> String {
        let disk = if self.on_volume { 0 } else { self.disk };
        let asked = [(self.vcpus, "vCPUs"), (self.ram, "MiB of memory"), (disk, "GB of disk")];
        let asked: Vec<String> = asked
            .iter()
            .filter(|(least, _)| *least > 0)
            .map(|(least, what)| format!("{least} {what}"))
            .collect();
        let mut most: Vec<&Flavor> = flavors.iter().filter(|flavor| !flavor.is_disabled()).collect();
        let mut largest: Vec<&Flavor> = Vec::new();
        let sizes: [fn(&Flavor) -> Option<u64>; 3] = [|f| f.vcpus.size(), |f| f.ram.size(), |f| f.disk.size()];
        for size in sizes {
            most.sort_by_key(|flavor| std::cmp::Reverse(size(flavor)));
            if let Some(flavor) = most.first().filter(|flavor| !largest.iter().any(|l| l.id == flavor.id)) {
                largest.push(flavor);
            }
        }
        let largest: Vec<String> = largest.into_iter().map(shown).collect();
        match (asked.join(", "), largest.join(", ")) {
            (asked, largest) if largest.is_empty() => format!("no flavor has {asked} (there is none at all)"),
            (asked, largest) if asked.is_empty() => {
                format!("no flavor has a disk of its own: set boot_volume (the largest: {largest})")
            }
            (asked, largest) => format!("no flavor has {asked} (the largest: {largest})"),
        }
    }
}

/// The vCPUs, memory and disk of a flavor, where all of them are known.
fn sizes(flavor: &Flavor) -> Option<(u64, u64, u64)> {
    Some((flavor.vcpus.size()?, flavor.ram.size()?, flavor.disk.size()?))
}

/// What an image needs; unknown needs count as none.
fn need(least: NumberOrText) -> u64 {
    least.size().unwrap_or(0)
}

fn shown(flavor: &Flavor) -> String {
    let known = |number: NumberOrText| {
        number
            .size()
            .map_or_else(|| "?".to_owned(), |number| number.to_string())
    };
    format!(
        "\"{}\" with {} vCPUs, {} MiB, {} GB",
        printable(&flavor.name, 60),
        known(flavor.vcpus),
        known(flavor.ram),
        known(flavor.disk)
    )
}

/// Returns why an image does not fit a flavor: Nova would refuse the server.
pub(super) fn misfit(image: &Image, flavor: &Flavor, boot_volume: Option<u32>) -> Vec<String> {
    let name = format!(
        "image \"{}\"",
        printable(image.name.as_deref().unwrap_or(&image.id), 100)
    );
    let size = format!("flavor \"{}\"", printable(&flavor.name, 100));
    let mut wrong = Vec::new();
    let (needs_ram, needs_disk) = (need(image.min_ram), need(image.min_disk));
    if let Some(ram) = flavor.ram.size().filter(|ram| needs_ram > *ram) {
        wrong.push(format!("{name} needs {needs_ram} MiB of memory, {size} has {ram}"));
    }
    match (boot_volume, flavor.disk.size()) {
        (Some(gb), _) if needs_disk > u64::from(gb) => {
            wrong.push(format!("{name} needs a disk of {needs_disk} GB, boot_volume is {gb}"));
        }
        // A root disk of 0 GB is as large as the image.
        (None, Some(disk)) if disk > 0 && needs_disk > disk => {
            wrong.push(format!(
                "{name} needs a disk of {needs_disk} GB, that of {size} has {disk}"
            ));
        }
        _ => {}
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lenient::FlagOrText;
    use crate::provider::openstack::tests::spec;

    fn known(number: u64) -> NumberOrText {
        i64::try_from(number).unwrap().into()
    }

    fn flavor(name: &str, vcpus: u64, ram: u64, disk: u64) -> Flavor {
        Flavor {
            id: format!("id of {name}"),
            name: name.to_owned(),
            vcpus: known(vcpus),
            ram: known(ram),
            disk: known(disk),
            ..Flavor::default()
        }
    }

    fn image(min_ram: u64, min_disk: u64) -> Image {
        let image: Image = serde_json::from_str(r#"{"id":"i","name":"big"}"#).unwrap();
        Image {
            min_disk: known(min_disk),
            min_ram: known(min_ram),
            ..image
        }
    }

    /// How many things are wrong with an image of some needs on a flavor of some size.
    fn check(needs: (u64, u64), has: (u64, u64), boot_volume: Option<u32>, expected: &[&str]) {
        let image = image(needs.0, needs.1);
        let flavor = flavor("tiny", 1, has.0, has.1);
        let wrong = misfit(&image, &flavor, boot_volume);
        assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
        for (text, part) in wrong.iter().zip(expected) {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn an_image_must_fit_its_flavor() {
        check((512, 10), (512, 10), None, &[]);
        check((513, 11), (512, 10), None, &["513 MiB", "11 GB, that of flavor"]);
        check((0, 11), (512, 0), None, &[]);
        check((0, 11), (512, 0), Some(10), &["11 GB, boot_volume is 10"]);
        check((0, 11), (512, 1), Some(11), &[]);
    }

    /// Chooses among some flavors by what they must have: vCPUs, memory, disk.
    fn chosen(least: (u64, u64, u64), boot_volume: Option<u32>, image: Option<&Image>) -> Result<String, String> {
        let mut flavors = [
            flavor("big", 4, 8192, 80),
            flavor("wide", 8, 4096, 20),
            flavor("b", 2, 4096, 40),
            flavor("a", 2, 4096, 40),
            flavor("off", 2, 2048, 40),
            flavor("nodisk", 2, 4096, 0),
            flavor("small", 1, 2048, 20),
        ];
        flavors[4].disabled = FlagOrText(Some(true));
        let mut spec = spec("image", "");
        let (vcpus, ram_mb, disk_gb) = least;
        spec.size = SizeRef::Least { vcpus, ram_mb, disk_gb };
        spec.boot_volume = boot_volume;
        let expected = choose(&flavors, &spec, image).map(|flavor| flavor.name.clone());
        flavors.reverse();
        assert_eq!(
            choose(&flavors, &spec, image).map(|flavor| flavor.name.clone()),
            expected
        );
        expected
    }

    #[test]
    fn the_smallest_flavor_that_has_enough_is_taken() {
        let check = |least, boot_volume, expected: &str| {
            assert_eq!(chosen(least, boot_volume, None).as_deref(), Ok(expected), "{least:?}");
        };
        check((1, 0, 0), None, "small");
        check((2, 0, 0), None, "a");
        check((0, 4096, 0), None, "a");
        check((0, 4097, 0), None, "big");
        check((0, 0, 41), None, "big");
        check((5, 0, 20), None, "wide");
        // The disk of a flavor counts for nothing beside a root volume.
        check((2, 4096, 20), Some(20), "nodisk");
        check((2, 2049, 100), Some(100), "nodisk");
    }

    #[test]
    fn what_the_image_needs_counts() {
        let needs = |min_ram, min_disk, boot_volume| chosen((1, 0, 0), boot_volume, Some(&image(min_ram, min_disk)));
        assert_eq!(needs(0, 20, None).as_deref(), Ok("small"));
        assert_eq!(needs(0, 21, None).as_deref(), Ok("a"));
        assert_eq!(needs(2049, 0, None).as_deref(), Ok("a"));
        assert_eq!(needs(0, 100, Some(100)).as_deref(), Ok("small"));
    }

    #[test]
    fn what_no_flavor_has_is_told_with_the_largest() {
        assert_eq!(
            chosen((8, 8192, 0), None, None).unwrap_err(),
            r#"no flavor has 8 vCPUs, 8192 MiB of memory (the largest: "wide" with 8 vCPUs, 4096 MiB, 20 GB, "big" with 4 vCPUs, 8192 MiB, 80 GB)"#
        );
        let mut spec = spec("image", "");
        spec.size = SizeRef::Least {
            vcpus: 0,
            ram_mb: 1,
            disk_gb: 0,
        };
        assert_eq!(
            choose(&[], &spec, None).map(|f| &f.name),
            Err("no flavor has 1 MiB of memory (there is none at all)".to_owned())
        );
    }

    #[test]
    fn a_disabled_flavor_is_told_where_it_is_named() {
        let mut flavors = [flavor("tiny", 1, 1, 1), flavor("tiny", 1, 1, 1)];
        let name = |flavors: &[Flavor], size: &str| {
            let chosen = choose(flavors, &spec("image", size), None).map(|flavor| flavor.id.clone());
            chosen.map_err(|text| text.split(':').next().unwrap().to_owned())
        };
        flavors[0].disabled = FlagOrText(Some(true));
        flavors[1].id = "other".to_owned();
        assert_eq!(name(&flavors, "tiny").as_deref(), Ok("other"));
        assert_eq!(name(&flavors, "other").as_deref(), Ok("other"));
        assert_eq!(
            name(&flavors, "id of tiny"),
            Err(r#"the flavor "id of tiny" is disabled"#.to_owned())
        );
    }
}
