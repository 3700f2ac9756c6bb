//! Images by name or expression, from Glance: all names in one query.

use super::catalog::Service;
use super::entry::ListEntry as _;
use super::error::parse;
use super::session::Session;
use super::wire::{Image, ImagesPage};
use crate::http::escaped;
use crate::provider::ProviderError;

/// A longer query is not sent: servers cut URLs at 8 KiB.
const LONGEST_FILTER: usize = 4000;
/// Pages of at most 1000 images.
const MAX_PAGES: usize = 100;

/// Lists the active images that have one of the names. A few more may be among them.
pub(super) fn by_name(session: &mut Session, names: &[&str]) -> Result<Vec<Image>, ProviderError> {
    let filter = filter(names).map_or_else(String::new, |filter| format!("&name={filter}"));
    pages(session, &format!("status=active&limit=1000{filter}"))
}

/// Lists all active images that the project sees.
pub(super) fn all(session: &mut Session) -> Result<Vec<Image>, ProviderError> {
    pages(session, "status=active&limit=1000")
}

/// Makes the value of `name`: `in:"a","b"`. `None` where no filter can express it: Glance has no way to write a quote
/// inside of quotes.
fn filter(names: &[&str]) -> Option<String> {
    if names.iter().any(|name| name.contains(['"', '\\'])) {
        return None;
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let filter = escaped(&format!("in:{}", quoted.join(",")));
    (filter.len() <= LONGEST_FILTER).then_some(filter)
}

fn pages(session: &mut Session, query: &str) -> Result<Vec<Image>, ProviderError> {
    let mut all = Vec::new();
    let mut asked = vec![query.to_owned()];
    loop {
        let query = asked.last().map_or("", String::as_str);
        let reply = session.get("images", Service::Image, &format!("/images?{query}"))?;
        let page: ImagesPage = parse("images", &reply)?;
        if !page.images.listed {
            return Err(ProviderError::BadAnswer(
                "images: the answer has no list \"images\"".to_owned(),
            ));
        }
        let ended = page.images.all.is_empty();
        all.extend(
            page.images
                .all
                .into_iter()
                .filter(|one| one.is_usable(&mut session.odd)),
        );
        // The link is a path that lacks the prefix of the endpoint: only its query is good.
        let next = page
            .next
            .value
            .as_deref()
            .and_then(|next| next.split_once('?'))
            .map(|(_, query)| query.to_owned());
        match next {
            Some(next) if !ended => {
                if asked.contains(&next) || asked.len() >= MAX_PAGES || !next.bytes().all(|b| b.is_ascii_graphic()) {
                    let text = "images: the pages of the list do not end".to_owned();
                    return Err(ProviderError::BadAnswer(text));
                }
                asked.push(next);
            }
            _ => return Ok(all),
        }
    }
}

/// Returns the active images whose name is a wanted one, the best first: the project's own, then the newest, then by
/// id. Clouds renew their images under the same name.
pub(super) fn candidates<'a>(
    images: &'a [Image],
    wanted: impl Fn(&str) -> bool,
    project: Option<&str>,
) -> Vec<&'a Image> {
    let mut found: Vec<&Image> = images
        .iter()
        .filter(|image| image.status == "active" && image.name.as_deref().is_some_and(&wanted))
        .collect();
    let own = |image: &Image| project.is_some() && image.owner.as_deref() == project;
    found.sort_by(|a, b| {
        let (of_a, of_b) = ((own(a), &a.created_at), (own(b), &b.created_at));
        of_b.cmp(&of_a).then_with(|| a.id.cmp(&b.id))
    });
    // An image can move between two pages while both are read.
    found.dedup_by(|a, b| a.id == b.id);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_or_not_filtered_by() {
        assert_eq!(filter(&["a, b", "c"]).as_deref(), Some("in%3A%22a%2C%20b%22%2C%22c%22"));
        assert_eq!(filter(&[r#"5" disk"#]), None);
        assert_eq!(filter(&[&"x".repeat(5000)]), None);
    }

    #[test]
    fn the_own_image_wins_then_the_newest() {
        let image = |id: &str, owner: &str, created: &str| Image {
            id: id.to_owned(),
            name: Some("twin".to_owned()),
            status: "active".to_owned(),
            owner: Some(owner.to_owned()),
            created_at: created.to_owned(),
            ..Image::default()
        };
        let mut images = vec![
            image("c", "cloud", "2026-01-03T00:00:00Z"),
            image("b", "cloud", "2026-01-04T00:00:00Z"),
            image("a", "cloud", "2026-01-04T00:00:00Z"),
            image("d", "us", "2025-01-01T00:00:00Z"),
        ];
        let ids = |images: &[Image], project| {
            let found = candidates(images, |name| name == "twin", project);
            found.iter().map(|image| image.id.as_str()).collect::<String>()
        };
        for _ in 0..images.len() {
            images.rotate_left(1);
            assert_eq!(ids(&images, Some("us")), "dabc");
            assert_eq!(ids(&images, None), "abcd");
        }
        images[0].status = "queued".to_owned();
        assert_eq!(ids(&images[..1], None), "");
        images[1].name = None;
        images[2] = images[3].clone();
        assert_eq!(ids(&images, None).len(), 1, "the same image twice");
    }
}
