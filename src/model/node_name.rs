//! What the name of a Jenkins node says of its server: an address, an id of ours, a template. Pure.
//!
//! Agents that register themselves choose their names: `<template>+<address>`, `<address>+<template>__<uuid>`,
//! `ip-10-20-0-11`, `<server>-<suffix>`. Which server is meant is decided in `plan`.

use std::net::{IpAddr, Ipv4Addr};

use super::NAME_SEPARATOR;

/// The length of an id of ours, in hexadecimal digits.
const ID_LENGTH: usize = 12;

/// The longest node name that is searched for addresses. Jenkins itself has no limit.
const LONGEST: usize = 1024;

/// Returns the addresses that a name contains as a whole, each once, sorted: `10.20.0.11` and `10-20-0-11` wherever no
/// letter or digit touches them, an IPv6 address up to a `+` or the end of the name, with `-` in the place of `:` since
/// Jenkins allows no colon.
pub fn addresses_in(name: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    if name.len() > LONGEST || !name.bytes().any(|b| b.is_ascii_digit() || b == b'-') {
        return found;
    }
    let mut read_to = 0;
    for (start, _) in name.char_indices().filter(|(at, _)| begins_word(name, *at)) {
        let rest = &name[start..];
        for separator in ['.', '-'] {
            found.extend(ipv4_at(rest, separator, &name[..start]).map(IpAddr::V4));
        }
        // What ends an address of IPv6 is often one itself.
        if start >= read_to
            && let Some((address, length)) = ipv6_at(rest)
        {
            found.push(address);
            read_to = start + length;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a word may begin at this place: no letter or digit touches it.
fn begins_word(name: &str, at: usize) -> bool {
    name[..at]
        .chars()
        .next_back()
        .is_none_or(|before| !before.is_alphanumeric())
}

/// Reads an IPv4 address at the beginning of a text. `before` is what precedes it: the `.` of a longer run of numbers makes
/// it a part of something else.
fn ipv4_at(text: &str, separator: char, before: &str) -> Option<Ipv4Addr> {
    let mut parts = [0_u8; 4];
    let mut rest = text;
    for (index, part) in parts.iter_mut().enumerate() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = &rest[..digits];
        if digits == 0 || digits > 3 || digits > 1 && number.starts_with('0') {
            return None;
        }
        *part = number.parse().ok()?;
        rest = &rest[digits..];
        if index < 3 {
            rest = rest.strip_prefix(separator)?;
        }
    }
    let mut after = rest.chars();
    let touches = match after.next() {
        Some('.') if separator == '.' => after.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_alphanumeric(),
        None => false,
    };
    let mut before = before.chars().rev();
    let continues = separator == '.' && before.next() == Some('.') && before.next().is_some_and(|c| c.is_ascii_digit());
    (!touches && !continues).then(|| Ipv4Addr::from(parts))
}

/// Reads an IPv6 address that begins a text and ends at a `+`, at `__` or with the text; returns its length, too.
fn ipv6_at(text: &str) -> Option<(IpAddr, usize)> {
    let end = text.find('+').unwrap_or(text.len());
    let end = text[..end].find(NAME_SEPARATOR).unwrap_or(end);
    let word = &text[..end];
    let plausible = word.len() >= 2
        && word.len() <= 45
        && word.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'-' | b':'))
        && word.bytes().filter(|b| matches!(b, b'-' | b':')).count() >= 2;
    if !plausible {
        return None;
    }
    let address: std::net::Ipv6Addr = word.replace('-', ":").parse().ok()?;
    Some((IpAddr::V6(address), end))
}

/// Returns every run of 12 hexadecimal digits of a name, in lower case: what may be an id of ours.
pub fn ids_in(name: &str) -> impl Iterator<Item = String> + '_ {
    let bytes = name.as_bytes();
    let windows = bytes.windows(ID_LENGTH).enumerate();
    windows.filter_map(|(at, window)| {
        let is_id = window.iter().all(u8::is_ascii_hexdigit);
        is_id.then(|| name[at..at + ID_LENGTH].to_ascii_lowercase())
    })
}

/// Returns the id in a name of the form that mita gives, `<template>__<id>`, whatever stands around it; in lower case.
pub fn id_of_our_form(name: &str) -> Option<String> {
    name.match_indices(NAME_SEPARATOR).find_map(|(at, separator)| {
        let rest = &name[at + separator.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let ends = rest[digits..].chars().next().is_none_or(|c| !c.is_alphanumeric());
        (digits == ID_LENGTH && ends && at > 0).then(|| rest[..digits].to_ascii_lowercase())
    })
}

/// Returns whether a name contains another as a word: no letter or digit touches it. Case does not count, since systems
/// write their host names in upper or in lower case.
pub fn has_word(name: &str, word: &str) -> bool {
    if word.is_empty() || word.len() > name.len() {
        return false;
    }
    let (name, word) = (name.to_lowercase(), word.to_lowercase());
    name.match_indices(&word).any(|(at, _)| {
        let after = name[at + word.len()..].chars().next();
        begins_word(&name, at) && after.is_none_or(|c| !c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &[&str]) {
        let expected: Vec<IpAddr> = expected.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(addresses_in(name), expected, "{name}");
    }

    #[test]
    fn an_address_is_found_wherever_it_is_whole() {
        for name in [
            "10.20.0.11",
            "small+10.20.0.11",
            "10.20.0.11+small",
            "10.20.0.11+small__7d4f0a5c-4a2b-4f8e-9d1c-0123456789ab",
            "small-10.20.0.11",
            "small_10.20.0.11",
            "ip-10-20-0-11",
            "ip-10-20-0-11.ec2.internal",
            "10.20.0.11.example.com",
            "SMALL+10-20-0-11",
            "büro 10.20.0.11",
        ] {
            check(name, &["10.20.0.11"]);
        }
        check("fd00--1", &["fd00::1"]);
        check("small+fd00--1:2", &["fd00::1:2"]);
        check("2001-db8--7+small", &["2001:db8::7"]);
        check("2001-db8--7+small__x", &["2001:db8::7"]);
        check("small-fd00--1", &["fd00::1"]);
    }

    #[test]
    fn a_part_of_something_longer_is_no_address() {
        for name in [
            "",
            "small",
            "110.20.0.1111",
            "x10.20.0.11",
            "10.20.0.11x",
            "1.10.20.0.11",
            "10.20.0.11.5",
            "10.20.0",
            "10.20.0.256",
            "10.020.0.11",
            "small__0123456789ab",
            "2024-10-07-nightly",
        ] {
            check(name, &[]);
        }
    }

    #[test]
    fn an_id_of_our_form_is_found_in_what_is_around_it() {
        for (name, expected) in [
            ("small__0123456789ab", Some("0123456789ab")),
            ("small__0123456789AB", Some("0123456789ab")),
            ("small__0123456789ab-1a2b3c4d", Some("0123456789ab")),
            ("10.0.0.9+small__0123456789ab", Some("0123456789ab")),
            ("10.0.0.9+small__7d4f0a5c-4a2b-4f8e-9d1c-0123456789ab", None),
            ("small__0123456789abc", None),
            ("small-0123456789ab", None),
            ("__0123456789ab", None),
        ] {
            assert_eq!(id_of_our_form(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn ids_are_found_in_either_case() {
        assert!(ids_in("x0123456789ABy").any(|id| id == "0123456789ab"));
        assert_eq!(ids_in("nothing here").count(), 0);
        assert_eq!(ids_in("größe-0123456789äb").count(), 0);
    }

    #[test]
    fn a_word_is_whole() {
        for (name, word, expected) in [
            ("10.20.0.11+small", "small", true),
            ("10.20.0.11+small__x", "small", true),
            ("SMALL-10.20.0.11", "small", true),
            ("smallish+10.20.0.11", "small", false),
            ("asmall", "small", false),
            ("small", "small-gpu", false),
            ("any", "", false),
        ] {
            assert_eq!(has_word(name, word), expected, "{name} {word}");
        }
    }
}
