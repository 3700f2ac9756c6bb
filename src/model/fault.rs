//! What the message of a fault tells: the one home of the words by which quota, room and image are told apart.
//!
//! A cloud says them when it refuses a server, and again in the fault of a server that went to ERROR after it was
//! accepted. What follows from it is left to the planner.

/// Why a server was not made or went to ERROR, as far as the message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The quota of servers: no further one fits, whatever its size.
    ServerQuota,
    /// Another quota of the project: cores, memory, ports, volumes or addresses. A smaller server may fit.
    Quota,
    /// No host, address or device has room: another zone or a later time may do.
    NoRoom,
    /// The image: it is not there, not whole, or does not fit the flavor.
    Image,
    /// Anything else, or nothing that is known.
    Other,
}

/// A permission that is missing; such a text may well name a quota.
const POLICY: [&str; 2] = ["policy doesn't allow", "disallowed by policy"];
/// Unified limits say `is over a limit for`, Neutron's ports have their own words.
const QUOTA: [&str; 3] = ["quota", "over a limit", "number of ports exceeded"];
/// oslo.limit names the resource of a server so; Nova of 2011 had the second.
const SERVER_QUOTA: [&str; 2] = ["resource servers is over limit", "instance quota exceeded"];
const IMAGE: [&str; 9] = [
    "is unacceptable",
    "can not find requested image",
    "imagenotfound",
    "image is not active",
    "corrupt image",
    "too small for requested image",
    "qemu-img",
    "signature verification",
    "disk format",
];
/// Nova's words where a key pair is not there, by which a request names it.
const KEY_PAIR: [&str; 2] = ["invalid key_name", "keypair not found"];
const NO_ROOM: [&str; 10] = [
    "no valid host",
    "exhausted all hosts",
    "max scheduling attempts",
    "insufficient compute resources",
    "insufficient resources",
    "insufficient free",
    "no more ip addresses",
    "no fixed ip addresses",
    "ipaddressgenerationfailure",
    "externalipaddressexhausted",
];

/// What is between an image and a host. Such a fault may name the image, which is not to blame.
const NOT_THE_IMAGE: [&str; 6] = [
    "no valid host",
    "quota",
    "connect",
    "unavailable",
    "timed out",
    "timeout",
];

impl FaultKind {
    /// Returns whether a message says that the key pair is not there.
    pub fn blames_key_pair(message: &str) -> bool {
        let message = message.to_lowercase();
        KEY_PAIR.iter().any(|words| message.contains(words))
    }

    /// Returns whether the fault of a server in ERROR blames its image, given by its id: it says so, or names it.
    pub fn blames_image(message: &str, image: Option<&str>) -> bool {
        let text = message.to_lowercase();
        let named = image.is_some_and(|image| text.contains(&image.to_lowercase()));
        let blamed = named || text.contains("image") || Self::from_message(message) == Self::Image;
        blamed && !NOT_THE_IMAGE.iter().any(|words| text.contains(words))
    }

    /// Reads a message of any cloud, in upper or lower case.
    pub fn from_message(message: &str) -> Self {
        let text = message.to_lowercase();
        let says = |any: &[&str]| any.iter().any(|words| text.contains(words));
        let no_image = text.contains("image ") && text.contains("could not be found");
        if says(&POLICY) {
            Self::Other
        } else if says(&SERVER_QUOTA) || exceeds_instances(&text) {
            Self::ServerQuota
        } else if says(&QUOTA) {
            Self::Quota
        } else if no_image || says(&IMAGE) {
            // Before the room: after three hosts the last one's reason stands behind `Exceeded max scheduling attempts`.
            Self::Image
        } else if says(&NO_ROOM) {
            Self::NoRoom
        } else {
            Self::Other
        }
    }
}

/// Whether Nova's sentence lists instances among the quotas that are exceeded: `Quota exceeded for cores, instances: …`.
fn exceeds_instances(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("quota exceeded for ") else {
        return false;
    };
    let list = rest.split(':').next().unwrap_or_default();
    list.split(',').any(|quota| quota.trim() == "instances")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_blamed_by_what_is_said_of_it() {
        for (message, blamed) in [
            (
                "Image 5d is unacceptable: Converted to raw, but format is now qcow2",
                true,
            ),
            ("qemu-img: Could not open 'x': invalid header", true),
            ("Signature verification for the image failed", true),
            ("Build of instance 1 aborted: 5D is broken", true),
            ("Unable to connect to the image service", false),
            ("Image 5d could not be found: request timed out", false),
            ("No valid host was found for image 5d", false),
            ("Build of instance 1 aborted", false),
        ] {
            assert_eq!(FaultKind::blames_image(message, Some("5d")), blamed, "{message}");
        }
    }

    #[test]
    fn messages_are_told_apart() {
        for (message, kind) in [
            (
                "Quota exceeded for instances: Requested 1, but already used 2 of 2 instances",
                FaultKind::ServerQuota,
            ),
            (
                "Quota exceeded for cores, instances, ram: Requested 4, 1, 8192, but already used 8, 2, 9000 of 10, 2, \
                 9999 cores, instances, ram",
                FaultKind::ServerQuota,
            ),
            (
                "Project 1 is over a limit for [Resource servers is over limit of 10]",
                FaultKind::ServerQuota,
            ),
            (
                "Instance quota exceeded. You cannot run any more instances of this type.",
                FaultKind::ServerQuota,
            ),
            (
                "Quota exceeded for cores, ram: Requested 8, 16384, but already used 16, 1 of 20, 2 cores, ram",
                FaultKind::Quota,
            ),
            (
                "Project 1 is over a limit for [Resource class:VCPU is over limit of 20 due to current usage 16 and delta 8]",
                FaultKind::Quota,
            ),
            ("Quota exceeded, too many servers in group", FaultKind::Quota),
            ("Quota exceeded for resources: ['port'].", FaultKind::Quota),
            ("Maximum number of ports exceeded", FaultKind::Quota),
            (
                "VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. \
                 Requested 100G, quota is 10G and 0G has been consumed.",
                FaultKind::Quota,
            ),
            (
                "VolumeLimitExceeded: Maximum number of volumes allowed (1) exceeded for quota 'volumes'.",
                FaultKind::Quota,
            ),
            (
                "OverQuota: Quota exceeded for resources: ['floatingip'].",
                FaultKind::Quota,
            ),
            ("No valid host was found. ", FaultKind::NoRoom),
            (
                "No valid host was found. There are not enough hosts available.",
                FaultKind::NoRoom,
            ),
            (
                "Exceeded maximum number of retries. Exhausted all hosts available for retrying build",
                FaultKind::NoRoom,
            ),
            (
                "Insufficient compute resources: Free memory 1.00 MB < requested 2048 MB.",
                FaultKind::NoRoom,
            ),
            (
                "IpAddressGenerationFailure: No more IP addresses available on network n.",
                FaultKind::NoRoom,
            ),
            (
                "ExternalIpAddressExhausted: Unable to find any IP address on external network n.",
                FaultKind::NoRoom,
            ),
            (
                "Image 5d is unacceptable: Converted to raw, but format is now qcow2",
                FaultKind::Image,
            ),
            ("Image 5d could not be found.", FaultKind::Image),
            ("Flavor's disk is too small for requested image.", FaultKind::Image),
            (
                "Exceeded max scheduling attempts 3. Last exception: Image 5d is unacceptable: it is corrupt",
                FaultKind::Image,
            ),
            (
                "Policy doesn't allow os_compute_api:os-quota-sets:show to be performed.",
                FaultKind::Other,
            ),
            ("Build of instance 1 aborted: FakeBuildAbortDriver", FaultKind::Other),
            ("You have insufficient rights.", FaultKind::Other),
            ("", FaultKind::Other),
        ] {
            assert_eq!(FaultKind::from_message(message), kind, "{message}");
        }
    }
}
