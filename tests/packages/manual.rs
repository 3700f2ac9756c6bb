//! The manual pages, as `man` and its checkers read them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::tool::{accepted, mita, printed, tool};

/// What mandoc finds in the pages that is how `clap_mangen` writes them, and harmless.
const HARMLESS: &str = "skipping paragraph macro: br ";

/// Writes the pages into a folder that is not there yet.
fn written() -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    assert_eq!(printed(&["man", pages.to_str().unwrap()]), "");
    let mut files: Vec<PathBuf> = fs::read_dir(pages)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    (folder, files)
}

#[test]
fn there_is_a_page_for_each_command() {
    let (_folder, files) = written();
    let help = printed(&["--help"]);
    for name in files.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()) {
        let command = name.strip_prefix("mita-").unwrap_or("mita");
        assert!(help.contains(command), "{name}");
    }
    let names: Vec<&str> = files
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap())
        .collect();
    for name in ["mita.1", "mita-run.1", "mita-completions.1"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(names.len() > 17 && !names.contains(&"mita-help.1"), "{names:?}");
    assert_eq!(
        fs::read_to_string(files.iter().find(|file| file.ends_with("mita.1")).unwrap()).unwrap(),
        printed(&["man"])
    );
}

/// Returns the sections of a page as `man` shows it: from the heading to the lines below it.
fn sections(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        let is_heading = line.starts_with(|c: char| c.is_ascii_uppercase());
        if is_heading {
            line.clone_into(&mut heading);
        }
        let rows: &mut String = found.entry(heading.clone()).or_default();
        if !is_heading {
            rows.push_str(line.trim_start());
            rows.push('\n');
        }
    }
    found
}

#[test]
fn a_page_has_the_examples_and_exit_codes_of_the_help() {
    let (_folder, files) = written();
    for file in files {
        let Some(mut mandoc) = tool("mandoc") else { return };
        let text = accepted(mandoc.args(["-T", "utf8", "-O", "width=200"]).arg(&file));
        // Bold is a letter, a backspace and the letter again.
        let mut plain = String::new();
        for c in text.chars() {
            if c == '\u{8}' {
                plain.pop();
            } else {
                plain.push(c);
            }
        }
        let sections = sections(&plain);
        let name = file.file_stem().unwrap().to_str().unwrap();
        let exit = &sections["EXIT STATUS"];
        for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "75 "] {
            assert!(
                exit.lines().any(|line| line.starts_with(code)),
                "{name}: {code}\n{exit}"
            );
        }
        assert!(
            exit.contains("done, or nothing to do") && exit.contains("another pass holds the lock"),
            "{exit}"
        );
        let Some(command) = name.strip_prefix("mita-") else {
            assert!(sections["COMMANDS"].contains("mita-run(1)"), "{plain}");
            continue;
        };
        let help = printed(&["help", command]);
        let (_, examples) = help.rsplit_once("\nExample").unwrap();
        for line in examples.lines().skip(1).filter(|line| !line.is_empty()) {
            assert!(sections["EXAMPLES"].contains(line.trim()), "{name}: {line}\n{plain}");
        }
        assert!(sections["SEE ALSO"].contains("mita(1)"), "{plain}");
    }
}

#[test]
fn the_checkers_of_pages_find_nothing() {
    let (_folder, files) = written();
    for file in &files {
        if let Some(mut mandoc) = tool("mandoc") {
            let output = mandoc.args(["-T", "lint", "-W", "warning"]).arg(file).output().unwrap();
            let found = String::from_utf8(output.stdout).unwrap();
            let found: Vec<&str> = found.lines().filter(|line| !line.contains(HARMLESS)).collect();
            assert!(found.is_empty(), "{found:#?}");
        }
        if let Some(mut man) = tool("man") {
            // As lintian calls it.
            man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(file);
            accepted(man.env("LC_ALL", "C.UTF-8").env("MANROFFSEQ", "").env("MANWIDTH", "80"));
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = mita(&["man", file.join("man1").to_str().unwrap()]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(
        err.starts_with("mita: cannot write ") && err.contains("file/man1"),
        "{err}"
    );
}
