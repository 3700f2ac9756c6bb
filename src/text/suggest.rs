//! "Did you mean": the names that are nearest to a text.

/// The most characters of a name that are compared.
const COMPARED: usize = 80;

/// Returns the known name nearest to a text, if one is near.
pub fn nearest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let text = folded(text);
    let length = text.chars().count();
    let most = (length / 3).clamp(1, 4);
    known
        .into_iter()
        // Each character more or less is an edit: most names need no closer look.
        .filter(|name| name.len().abs_diff(length) <= most)
        .map(|name| (strsim::osa_distance(&text, &folded(name)), name))
        .filter(|(distance, name)| *distance <= most && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// Returns `; did you mean NAME?`, or what is known when nothing is near.
pub fn did_you_mean<'k>(text: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> String {
    if let Some(name) = nearest(text, known.clone()) {
        return format!("; did you mean {name}?");
    }
    let mut names: Vec<&str> = known.into_iter().collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => String::new(),
        names if names.len() <= 12 => format!("; known here: {}", names.join(", ")),
        _ => "; see mita.yaml.example".to_owned(),
    }
}

/// Returns the known names nearest to a text, the nearest first, each once, at most `most`.
pub fn closest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>, most: usize) -> Vec<&'k str> {
    let text = folded(text);
    let distance = |name: &'k str| (strsim::levenshtein(&text, &folded(name)), name);
    let mut near: Vec<(usize, &str)> = known.into_iter().map(distance).collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().take(most).map(|(_, name)| name).collect()
}

/// Upper and lower case are alike, and so are `-` and `_`.
fn folded(text: &str) -> String {
    text.chars()
        .take(COMPARED)
        .flat_map(char::to_lowercase)
        .map(|c| if c == '-' { '_' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let known = ["image_name", "labels", "max", "min_ready", "size"];
        let check = |text, wanted| assert_eq!(nearest(text, known), wanted, "{text}");
        check("labls", Some("labels"));
        check("label", Some("labels"));
        check("Image-Name", Some("image_name"));
        check("imgae_name", Some("image_name"));
        check("mx", Some("max"));
        check("zzz", None);
        check("", None);
    }

    #[test]
    fn without_a_near_one_all_are_named() {
        assert_eq!(did_you_mean("quux", ["b", "a"]), "; known here: a, b");
        assert_eq!(did_you_mean("quux", []), "");
    }

    #[test]
    fn the_closest_come_first_and_once() {
        let known = ["m1.tiny", "m3.xlarge", "huge", "M3.LARGE", "m3.xlarge"];
        assert_eq!(closest("m3.xlrge", known, 3), ["m3.xlarge", "M3.LARGE", "huge"]);
        assert_eq!(strsim::levenshtein("kitten", "sitting"), 3);
        assert_eq!(closest("", ["abc"], 3), ["abc"]);
    }
}
