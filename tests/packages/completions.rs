//! The completions, as the shells themselves use them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::tool::{accepted, mita, printed, tool};

/// Writes the completions of a shell into a folder.
fn written(shell: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("mita.{shell}"));
    fs::write(&file, printed(&["completions", shell])).unwrap();
    (folder, file)
}

/// Returns what bash offers for a line whose last word is being typed.
fn bash_offers(bash: &mut Command, line: &[&str]) -> Vec<String> {
    let (_folder, file) = written("bash");
    // What the shell does at a <TAB>: it finds the function of the command, fills its variables and calls it with the
    // command, the word, and the word before.
    let script = r#"
        source "$1"; shift
        function=$(complete -p mita | sed -n 's/.*-F \([^ ]*\).*/\1/p')
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
        "$function" mita "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || true
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let out = accepted(
        bash.args(["--norc", "--noprofile", "-eu", "-c", script, "bash"])
            .arg(file)
            .arg("mita")
            .args(line),
    );
    out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    for (line, offered) in [
        (&["re"][..], &["reap", "render", "resume"][..]),
        (&["comp"], &["completions"]),
        (&["completions", "z"], &["zsh"]),
        (&["run", "--sa"], &["--save-observation"]),
        (&["status", "--phase", "b"], &["booting", "busy"]),
        (&["-o", "j"], &["json"]),
        // No template and no file has a name that mita could know here.
        (&["zzz"], &[]),
    ] {
        let Some(mut bash) = tool("bash") else { return };
        let found = bash_offers(&mut bash, line);
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|word| !word.is_empty())
            .collect();
        assert_eq!(found, offered, "{line:?}");
    }
}

#[test]
fn fish_completes_commands_and_says_what_they_do() {
    let (folder, file) = written("fish");
    let Some(mut fish) = tool("fish") else { return };
    let out = accepted(
        fish.args(["--no-config", "-c", "source $argv[1]; complete -C 'mita re'"])
            .arg(&file)
            .env("HOME", folder.path()),
    );
    let words: Vec<&str> = out.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(words, ["reap", "render", "resume"]);
    assert!(out.contains("reap\tMake a pass that only removes"), "{out}");
}

#[test]
fn zsh_reads_the_completions_and_takes_them_for_mita() {
    let (folder, file) = written("zsh");
    let Some(mut zsh) = tool("zsh") else { return };
    fs::rename(&file, folder.path().join("_mita")).unwrap();
    let script = "emulate -R zsh; fpath=($1 $fpath); autoload -U compinit; compinit -u -D; autoload +X -U _mita; \
                  print ${_comps[mita]}; print ${+functions[_mita]}";
    let out = accepted(zsh.args(["-f", "-c", script, "zsh"]).arg(folder.path()));
    assert_eq!(out, "_mita\n1\n");
}

#[test]
fn every_shell_gets_every_command() {
    let help = printed(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let list = list.lines().take_while(|line| line.starts_with("  "));
    // A continued line of a description is indented further.
    let commands: Vec<&str> = list
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 15 && commands.contains(&"reap"), "{commands:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = printed(&["completions", shell]);
        let missing: Vec<_> = commands.iter().filter(|command| !text.contains(**command)).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
}

#[test]
fn what_prints_one_form_takes_no_json() {
    for command in [&["completions", "bash", "-o", "json"][..], &["man", "-o", "json"]] {
        let output = mita(command);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(
            err.contains(&format!("`mita {}` prints one form alone", command[0])),
            "{err}"
        );
    }
    let output = mita(&["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("possible values: bash")
    );
}
