//! The metrics file: Prometheus text for the textfile collector of `node_exporter`.
//!
//! What a pass does not know it leaves out: a gauge of the last one would look like a reading of this one.

mod clouds;
mod counted;
mod fleet;
pub mod list;
mod pass;
mod places;
mod queue;
#[cfg(test)]
mod tests;
mod writer;

use crate::report::view::PassView;
use places::Places;
use writer::Writer;

/// Writes the metrics of a pass.
pub fn text(view: &PassView<'_>) -> String {
    let places = Places::new(view);
    let mut writer = Writer::default();
    pass::write_end(&mut writer, view);
    pass::write_problems(&mut writer, view);
    clouds::write_up(&mut writer, view);
    fleet::write(&mut writer, view, &places);
    if let Some(saw) = &view.saw {
        queue::write(&mut writer, saw, &places);
    }
    clouds::write_backoffs(&mut writer, view);
    clouds::write_quota(&mut writer, view);
    counted::write(&mut writer, view, &places);
    writer.finish()
}
