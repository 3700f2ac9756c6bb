//! The XML of Jenkins: the labels in the `config.xml` of a job and of a node, and the secret in an agent's `.jnlp`.
//!
//! The text is written by people with fewer rights than mita: no document type, a bound for size and nodes.

use roxmltree::{Document, Node, ParsingOptions};

use crate::model::JobConfig;
use crate::text::java_trim;

/// The largest `config.xml` that is read, in bytes.
pub const MAX_XML: usize = 8 * 1024 * 1024;

/// The most XML nodes that are kept.
const MAX_NODES: u32 = 500_000;

/// The axes of a matrix job whose values are labels, by the simple names of their classes: the two of Jenkins, and
/// those of plugins that are made from them.
const LABEL_AXES: [&str; 6] = [
    "LabelAxis",
    "LabelExpAxis",
    "ElasticAxis",
    "BrowserAxis",
    "BrowserExpAxis",
    "EC2Axis",
];

/// Reads a job's `config.xml`. The error is a sentence for a message.
pub fn job_config(xml: &str) -> Result<JobConfig, String> {
    let document = parse(xml)?;
    let root = document.root_element();
    let may_roam = text(root, "canRoam").is_some_and(|text| text == "true");
    let assigned_node = text(root, "assignedNode").filter(|node| !node.is_empty() && !may_roam);
    // Jenkins joins them in this order since matrix-project 1.9 (2017).
    let axes = child(root, "axes").into_iter().flat_map(|axes| axes.children());
    let label_axes = axes
        .filter(|axis| is_label_axis(axis.tag_name().name()))
        .filter_map(|axis| text(axis, "name"))
        .collect();
    Ok(JobConfig {
        assigned_node,
        label_axes,
    })
}

/// Returns whether the values of an axis are labels, by its class as the file writes it: `hudson.matrix.LabelAxis`.
fn is_label_axis(class: &str) -> bool {
    let simple = class.rsplit(['.', '-', '$']).next().unwrap_or(class);
    LABEL_AXES.contains(&simple) || simple.ends_with("LabelAxis") || simple.ends_with("LabelExpAxis")
}

/// Reads the labels of a node's `config.xml`, its own name not among them. The error is a sentence for a message.
pub fn node_labels(xml: &str) -> Result<Vec<String>, String> {
    let document = parse(xml)?;
    let label = text(document.root_element(), "label").unwrap_or_default();
    let names = label.split([' ', '\t', '\r', '\n']).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

/// Reads the first `<argument>` of an agent's `.jnlp` page.
pub fn first_argument(xml: &str) -> Option<String> {
    let document = parse(xml).ok()?;
    let argument = document.descendants().find(|node| node.has_tag_name("argument"))?;
    argument.text().map(str::to_owned)
}

fn parse(xml: &str) -> Result<Document<'_>, String> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(xml, options).map_err(|error| format!("not the XML of a configuration: {error}"))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// Returns the text of a child, of all its parts.
fn text(node: Node<'_, '_>, name: &str) -> Option<String> {
    let parts = child(node, name)?.children().filter(Node::is_text);
    let joined: String = parts.filter_map(|part| part.text()).collect();
    Some(java_trim(&joined).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(node: Option<&str>, axes: &[&str]) -> JobConfig {
        JobConfig {
            assigned_node: node.map(str::to_owned),
            label_axes: axes.iter().map(|&axis| axis.to_owned()).collect(),
        }
    }

    #[test]
    fn a_job_names_its_node_unless_it_may_roam() {
        let cases = [
            (
                "<project><assignedNode>a &amp;&amp; b</assignedNode><canRoam>false</canRoam></project>",
                Some("a && b"),
            ),
            (
                "<project><assignedNode><![CDATA[a&&b]]></assignedNode></project>",
                Some("a&&b"),
            ),
            (
                "<project><assignedNode>a</assignedNode><canRoam>true</canRoam></project>",
                None,
            ),
            ("<project><canRoam>true</canRoam></project>", None),
            (
                "<project><builders><assignedNode>x</assignedNode></builders></project>",
                None,
            ),
            (
                "<?xml version='1.1' encoding='UTF-8'?>\n<project plugin=\"x\"><assignedNode>a</assignedNode></project>",
                Some("a"),
            ),
        ];
        for (xml, expected) in cases {
            assert_eq!(job_config(xml), Ok(config(expected, &[])), "{xml}");
        }
    }

    #[test]
    fn a_matrix_names_its_label_axes_in_the_order_of_its_label() {
        let xml = "<matrix-project><axes><hudson.matrix.TextAxis><name>T</name></hudson.matrix.TextAxis>\
                   <hudson.matrix.LabelExpAxis plugin=\"p\"><name>Z</name></hudson.matrix.LabelExpAxis>\
                   <hudson.matrix.LabelAxis><name>A</name><values><string>x</string></values></hudson.matrix.LabelAxis>\
                   </axes></matrix-project>";
        assert_eq!(job_config(xml), Ok(config(None, &["Z", "A"])));
    }

    #[test]
    fn the_axes_of_plugins_are_labels_where_they_are_made_from_those_of_jenkins() {
        for (class, is_label) in [
            ("hudson.matrix.LabelAxis", true),
            ("hudson.matrix.LabelExpAxis", true),
            ("org.jenkinsci.plugins.elasticaxisplugin.ElasticAxis", true),
            ("jenkinsci.plugin.browseraxis.BrowserExpAxis", true),
            ("org.example.MyLabelAxis", true),
            ("hudson.matrix.TextAxis", false),
            ("hudson.matrix.JDKAxis", false),
            ("hudson.matrix.DefaultAxis", false),
            ("ca.silvermaplesolutions.jenkins.plugins.daxis.DynamicAxis", false),
            ("LabelAxisProperties", false),
        ] {
            let xml = format!("<m><axes><{class} plugin=\"p\"><name>A</name></{class}></axes></m>");
            let expected: &[&str] = if is_label { &["A"] } else { &[] };
            assert_eq!(job_config(&xml), Ok(config(None, expected)), "{class}");
        }
    }

    #[test]
    fn a_hostile_file_is_an_error() {
        let entity = "<!DOCTYPE p [<!ENTITY a \"b\">]><project><assignedNode>&a;</assignedNode></project>";
        assert!(job_config(entity).is_err());
        assert!(job_config("<html><body>login").is_err());
        assert!(job_config("").is_err());
        assert!(job_config(&format!("<p>{}</p>", "<a/>".repeat(600_000))).is_err());
    }

    #[test]
    fn a_deep_file_does_not_overflow() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(
            job_config(&deep).map(|config| config.assigned_node).ok().flatten(),
            None
        );
    }

    #[test]
    fn a_node_lists_its_labels() {
        let xml = include_str!("../../tests/fixtures/jenkins/client-node-config-2.544.xml");
        assert_eq!(node_labels(xml), Ok(vec!["linux".to_owned(), "x86".to_owned()]));
    }

    #[test]
    fn only_what_jenkins_splits_at_is_a_blank() {
        let xml = "<slave><label> a\u{a0}b\tc\n\u{2003}d\u{200b} </label></slave>";
        let labels = node_labels(xml).unwrap();
        assert_eq!(labels, ["a\u{a0}b", "c", "\u{2003}d\u{200b}"]);
        let xml = "<project><assignedNode> linux\u{a0}\n</assignedNode></project>";
        assert_eq!(job_config(xml), Ok(config(Some("linux\u{a0}"), &[])));
    }
}
