//! The examples at the end of each command's help. A test reads every line of them as the program would.

pub const RUN: &str = "\
Examples:
  mita run --dry-run        # what a pass would do now, and why
  mita run -o json --wait 2m
  * * * * *  mita run       # the crontab line";

pub const PROVISION: &str = "\
Examples:
  mita provision --dry-run                      # what would be created for the queue, and why
  mita provision --template small --count 5     # five servers before the morning's builds";

pub const REAP: &str = "\
Examples:
  mita reap --dry-run       # what would be removed, and why
  mita reap --force         # after an outage: what the guard held back is really gone";

pub const STATUS: &str = "\
Examples:
  mita status
  mita status --phase error,orphan,offline
  mita status --template small
  mita status --check       # for Nagios: one line, no request";

pub const EXPLAIN: &str = "\
Examples:
  mita explain 'linux && !arm64'
  mita explain --item 4711";

pub const CHECK: &str = "\
Example:
  mita check --online       # before the first pass, and after each change of mita.yaml";

pub const CONFIG: &str = "\
Example, to see what a change of the file changes:
  mita config > before.yaml
  mita config | diff before.yaml -";

pub const INIT: &str = "\
Examples:
  mita init --cloud mycloud
  mita init --jenkins https://ci.example.com --user mita --token-file jenkins.token";

pub const RENDER: &str = "\
Example, to have a script checked before a server runs it:
  mita render small | shellcheck -";

pub const SCHEMA: &str = "\
Example; the first line of mita.yaml is then `# yaml-language-server: $schema=mita.schema.json`:
  mita schema > mita.schema.json";

pub const DESTROY: &str = "\
Examples:
  mita destroy small__0123456789ab
  mita destroy --template small --outdated --dry-run
  mita destroy --all --force --yes        # before the site is taken down";

pub const DRAIN: &str = "\
Examples:
  mita drain small__0123456789ab --reason 'new kernel, ask anna'
  mita drain --provider openstack         # before its maintenance; see also `mita pause`";

pub const UNDRAIN: &str = "\
Example:
  mita undrain --provider openstack";

pub const PAUSE: &str = "\
Examples:
  mita pause --provider openstack --until 2030-01-31T06:00:00Z --reason 'cloud upgrade'
  mita pause                # create nothing anywhere, until `mita resume`";

pub const RESUME: &str = "\
Examples:
  mita resume --provider openstack
  mita resume --all";

pub const LEAKS: &str = "\
Example:
  mita leaks --delete --dry-run";

pub const COMPLETIONS: &str = "\
Examples:
  mita completions bash > /usr/share/bash-completion/completions/mita
  mita completions zsh > /usr/share/zsh/vendor-completions/_mita
  mita completions fish > /usr/share/fish/vendor_completions.d/mita.fish";

pub const MAN: &str = "\
Examples:
  mita man | man -l -
  mita man /usr/local/share/man/man1";

pub const HISTORY: &str = "\
Examples:
  mita history --last 100 --event removed,lost,failed
  mita history small__0123456789ab          # its whole life
  mita history --by node --since 30d        # what each template costs
  mita history --by day --since 2030-01-01 --until 2030-02-01 -o csv > january.csv
  mita history --trace --since 7d > week.trace";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::args::Cli;

    /// Splits a line as a shell does that knows single quotes alone, up to a comment, a pipe or a redirection.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                '#' | '|' | '>' | ';' if !quoted => break,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        assert!(!quoted, "{line}: a quote is open");
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_ends_its_help_with_examples_that_are_true() {
        let mut command = Cli::command();
        command.build();
        let mut seen = 0;
        for sub in command.get_subcommands_mut() {
            let name = sub.get_name().to_owned();
            if sub.is_hide_set() || name == "help" {
                continue;
            }
            let help = sub.render_long_help().to_string();
            let place = help
                .rfind("\nExample")
                .unwrap_or_else(|| panic!("{name}: no example\n{help}"));
            let lines: Vec<&str> = help[place..].trim().lines().skip(1).collect();
            assert!(!lines.is_empty(), "{name}: {help}");
            for line in lines {
                let (_, call) = line.split_once("mita ").unwrap_or_else(|| panic!("{name}: {line}"));
                let words = words(call);
                assert_eq!(words.first(), Some(&name), "{line}");
                let read = Cli::try_parse_from(std::iter::once("mita".to_owned()).chain(words));
                assert!(read.is_ok(), "{line}: {}", read.unwrap_err());
                seen += 1;
            }
        }
        assert!(seen > 15, "{seen}");
    }

    #[test]
    fn a_line_is_split_as_by_a_shell() {
        assert_eq!(words("run 'a && b'  -n   # and why"), ["run", "a && b", "-n"]);
        assert_eq!(words("config | diff x -"), ["config"]);
    }
}
