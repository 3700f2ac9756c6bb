//! "Did you mean": the nearest of the names that are known.

/// Returns the known name nearest to a text, if one is near.
pub fn nearest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let text = fold(text);
    let most = (text.len() / 3).clamp(1, 4);
    known
        .into_iter()
        // Each character more or less is an edit: most names need no closer look.
        .filter(|name| name.len().abs_diff(text.len()) <= most)
        .map(|name| (distance(&text, &fold(name)), name))
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

fn fold(text: &str) -> Vec<char> {
    text.chars()
        .take(80)
        .flat_map(char::to_lowercase)
        .map(|c| if c == '-' { '_' } else { c })
        .collect()
}

/// Counts the edits between two texts: insert, delete, replace, swap of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut best = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
}
