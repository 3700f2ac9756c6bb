//! The image and the flavor of a starter configuration: what most jobs can run on, and what costs least.

use crate::model::{FlavorChoice, ImageChoice};
use crate::text::{plural, printable};

use super::lines::{Lines, OTHERS, scalar, some};

/// What a flavor must have.
const LEAST_VCPUS: u64 = 2;
/// As [`LEAST_VCPUS`], in MiB.
const LEAST_RAM: u64 = 4096;
/// The least size of a root disk for a flavor that has none, or none that is large enough, in GB.
const BOOT_VOLUME: u64 = 40;
/// The longest day, or what a cloud has for one.
const MAX_DAY: usize = 20;
/// Images whose names begin so have cloud-init and what the script installs, the likeliest first.
const FAMILIES: [&str; 8] = [
    "ubuntu", "debian", "rocky", "alma", "centos", "fedora", "rhel", "red hat",
];

/// Chooses the newest image of the family that the script knows best, one without a remark if there is one; the newest of
/// the others are comments.
pub fn image<'i>(text: &mut Lines, images: &'i [ImageChoice]) -> Option<&'i ImageChoice> {
    let family = |image: &ImageChoice| {
        let name = image.name.to_lowercase();
        FAMILIES.iter().position(|family| name.starts_with(family))
    };
    let known = images
        .iter()
        .enumerate()
        .filter_map(|(age, image)| Some(((image.remark.is_some(), family(image)?, age), image)));
    let chosen = known.min_by_key(|(order, _)| *order).map(|(_, image)| image);
    match chosen {
        Some(image) => text.add(1, &shown_image(image)),
        None => text.unknown(1, "image_name: NAME", "a Linux with cloud-init"),
    }
    let mut others: Vec<&ImageChoice> = images.iter().filter(|image| Some(*image) != chosen).collect();
    // In their order otherwise.
    others.sort_by_key(|image| image.remark.is_some());
    if !others.is_empty() {
        text.add(1, "# The newest others:");
    }
    for image in others.into_iter().take(OTHERS) {
        text.add(1, &format!("# {}", shown_image(image)));
    }
    chosen
}

fn shown_image(image: &ImageChoice) -> String {
    let ImageChoice {
        name, created, remark, ..
    } = image;
    let created = printable(created, MAX_DAY);
    let remark = remark.as_ref().map(|remark| format!(", {remark}"));
    format!(
        "image_name: {}  # {created}{}",
        scalar(name),
        remark.unwrap_or_default()
    )
}

/// Chooses the smallest flavor that is large enough for jobs and for the image; one with a large enough disk of its own if
/// there is one.
pub fn flavor(text: &mut Lines, flavors: &[FlavorChoice], image: Option<&ImageChoice>) {
    let (min_ram, min_disk) = image.map_or((0, 0), |image| (image.min_ram_mb, image.min_disk_gb));
    let least_ram = LEAST_RAM.max(min_ram);
    let enough = |flavor: &&FlavorChoice| flavor.vcpus >= LEAST_VCPUS && flavor.ram_mb >= least_ram;
    let by_disk = |good: &dyn Fn(u64) -> bool| flavors.iter().filter(enough).find(|flavor| good(flavor.disk_gb));
    let own_disk = |disk: u64| disk > 0 && disk >= min_disk;
    let chosen = by_disk(&own_disk)
        .or_else(|| by_disk(&|disk| disk == 0))
        .or_else(|| by_disk(&|_| true));
    let Some(flavor) = chosen else {
        let there = some(flavors.iter().map(|flavor| flavor.name.as_str()));
        let what = format!("none has {LEAST_VCPUS} vCPUs and {least_ram} MiB; there are: {there}");
        let what = if flavors.is_empty() { "a flavor" } else { &what };
        return text.unknown(1, "size: NAME", what);
    };
    let FlavorChoice {
        vcpus, ram_mb, disk_gb, ..
    } = flavor;
    let (name, vcpus) = (scalar(&flavor.name), plural(*vcpus, "vCPU"));
    text.add(1, &format!("size: {name}  # {vcpus}, {ram_mb} MiB, {disk_gb} GB"));
    if !own_disk(*disk_gb) {
        let size = BOOT_VOLUME.max(min_disk);
        let why = match disk_gb {
            0 => "has no disk of its own",
            _ => "has too small a disk for that image",
        };
        text.add(1, &format!("boot_volume: {size}  # GB; that size {why}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_image(name: &str, remark: Option<&str>) -> ImageChoice {
        ImageChoice {
            name: name.to_owned(),
            created: "2026-02-13".to_owned(),
            min_ram_mb: 0,
            min_disk_gb: 0,
            remark: remark.map(str::to_owned),
        }
    }

    fn a_flavor(name: &str, vcpus: u64, ram_mb: u64, disk_gb: u64) -> FlavorChoice {
        FlavorChoice {
            name: name.to_owned(),
            vcpus,
            ram_mb,
            disk_gb,
        }
    }

    #[test]
    fn snapshots_and_images_of_other_machines_come_last() {
        let images = [
            an_image("ubuntu-snap", Some("a snapshot")),
            an_image("ubuntu-24.04-arm64", Some("aarch64")),
            an_image("debian-12", None),
            an_image("cirros", None),
        ];
        let mut text = Lines::default();
        assert_eq!(image(&mut text, &images), Some(&images[2]));
        assert_eq!(
            text.0,
            "  image_name: debian-12  # 2026-02-13\n  # The newest others:\n  # image_name: cirros  # 2026-02-13\n  \
             # image_name: ubuntu-snap  # 2026-02-13, a snapshot\n  # image_name: ubuntu-24.04-arm64  # 2026-02-13, \
             aarch64\n"
        );
        // A cloud may have no others.
        let mut text = Lines::default();
        assert_eq!(image(&mut text, &images[..2]), Some(&images[0]));
    }

    #[test]
    fn the_smallest_flavor_that_takes_the_image_is_chosen() {
        let flavors = [
            a_flavor("small", 1, 8192, 80),
            a_flavor("m", 2, 4096, 20),
            a_flavor("l", 2, 8192, 40),
            a_flavor("xl", 4, 16384, 80),
        ];
        let check = |flavors: &[FlavorChoice], (min_ram_mb, min_disk_gb), wanted: &str| {
            let image = ImageChoice {
                min_ram_mb,
                min_disk_gb,
                ..an_image("ubuntu", None)
            };
            let mut text = Lines::default();
            flavor(&mut text, flavors, Some(&image));
            assert_eq!(text.0, wanted);
        };
        check(&flavors, (0, 0), "  size: m  # 2 vCPUs, 4096 MiB, 20 GB\n");
        check(&flavors, (0, 30), "  size: l  # 2 vCPUs, 8192 MiB, 40 GB\n");
        check(&flavors, (9000, 0), "  size: xl  # 4 vCPUs, 16384 MiB, 80 GB\n");
        let volume = "  size: m  # 2 vCPUs, 4096 MiB, 20 GB\n  boot_volume: 100  # GB; that size has too small a disk \
                      for that image\n";
        check(&flavors, (0, 100), volume);
        let none = [a_flavor("d", 2, 4096, 0)];
        let volume =
            "  size: d  # 2 vCPUs, 4096 MiB, 0 GB\n  boot_volume: 40  # GB; that size has no disk of its own\n";
        check(&none, (0, 10), volume);
        let nothing = "  # size: NAME  <-- none has 2 vCPUs and 99999 MiB; there are: d\n";
        check(&none, (99_999, 0), nothing);
    }
}
