//! The status page: one HTML file that needs nothing else.

use crate::report::view::PassView;

/// Writes the page of a pass.
pub fn html(view: &PassView<'_>) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><title>mita: pass {}</title></html>\n",
        view.pass
    )
}
