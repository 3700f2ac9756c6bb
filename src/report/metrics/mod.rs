//! The metrics file: Prometheus text for the textfile collector of `node_exporter`.

use crate::report::view::PassView;

/// Writes the metrics of a pass.
pub fn text(view: &PassView<'_>) -> String {
    let success = u8::from(view.exit == 0);
    format!(
        "# HELP mita_pass_success Whether the last pass ended with exit code 0.\n# TYPE mita_pass_success gauge\nmita_pass_success {success}\n"
    )
}
