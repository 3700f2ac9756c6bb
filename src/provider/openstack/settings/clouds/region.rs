//! Which of a cloud's regions: the provider's own, else the environment's, else the first of the entry. A region that is an
//! empty text is none. Pure.

use crate::settings::problem::{Place, Report, join, quoted};
use crate::settings::yaml::{Entry, Node, Value};
use crate::text::did_you_mean;

use super::super::keys::SERVICE_REGION;
use super::layers::{Layers, Located};

/// Finds the region; `None` where the provider names it itself, or nobody does. What the entry says of that region in
/// particular goes over the rest of it.
pub fn choose<'t>(
    own: &[Entry],
    layers: &mut Layers<'t>,
    overlay: &Layers<'t>,
    provider: &Place,
    report: &Report,
) -> Option<Located<'t>> {
    let mine = own.iter().find(|entry| entry.is(&SERVICE_REGION));
    let asked = overlay.top_filled(&["region_name"]);
    let Some(regions) = layers.top(&["regions"]) else {
        let located = layers.top_filled(&["region_name"]);
        if let (None, Some(asked), Some(located)) = (mine, &asked, &located)
            && asked.text() != located.text()
        {
            let text = "is taken for the region, not region_name of the cloud; unset it, or write service_region";
            report.warn_in_check(&asked.place(), text);
        }
        return asked.or(located);
    };
    let (wanted, place) = match (mine.map(|entry| (&entry.value.value, entry)), &asked) {
        (Some((Value::Text(text, _), entry)), _) => (
            Some(text.as_str()),
            Place {
                at: entry.value.at,
                path: join(&provider.path, &entry.written),
            },
        ),
        (Some(_), _) => return None,
        (None, Some(asked)) => (asked.text(), asked.place()),
        (None, None) => (None, regions.place()),
    };
    let named = named(&regions, report)?;
    let chosen = match wanted {
        None => named.first(),
        Some(wanted) => named.iter().find(|region| region.name == wanted),
    };
    let Some(region) = chosen else {
        if let Some(wanted) = wanted {
            let hint = did_you_mean(wanted, named.iter().map(|region| region.name));
            report.error(&place, format!("{} is no region of the cloud{hint}", quoted(wanted)));
        }
        return None;
    };
    if let Some(values) = region.node.entry("values") {
        layers.push_over(&values.value, format!("{}.values", region.path));
    }
    if mine.is_some() {
        return None;
    }
    let located = Located {
        // A plain name is no entry: the list has the place.
        entry: region.node.entry("name").unwrap_or(regions.entry),
        path: region.path.clone(),
    };
    Some(asked.unwrap_or(located))
}

struct Region<'t> {
    name: &'t str,
    node: &'t Node,
    path: String,
}

/// Reads the list: names, or sections with a name.
fn named<'t>(regions: &Located<'t>, report: &Report) -> Option<Vec<Region<'t>>> {
    let Value::List(items) = &regions.entry.value.value else {
        report.error(
            &regions.place(),
            "must be a list of names; write it like [RegionOne, RegionTwo]",
        );
        return None;
    };
    let mut named = Vec::new();
    for (index, node) in items.iter().enumerate() {
        let path = format!("{}[{index}]", regions.path);
        match (&node.value, node.entry("name").map(|entry| &entry.value.value)) {
            (Value::Scalar(name, _), _) | (Value::Map(_), Some(Value::Scalar(name, _))) => {
                named.push(Region { name, node, path });
            }
            _ => {
                let place = Place { at: node.at, path };
                report.error(&place, "is no region; write its name, or a name and values");
            }
        }
    }
    Some(named)
}
