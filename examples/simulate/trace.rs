//! Traces: reading one, and a made-up week with its templates.

use std::error::Error;
use std::path::Path;

use mita::config::Config;

use super::random::Random;

/// The largest number of seconds in a trace: a hundred years, so that sums stay far from overflow.
const MOST_SECONDS: i64 = 3_155_760_000;

/// A job of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// When it comes, in seconds since the start.
    pub at: i64,
    /// How long it runs, in seconds.
    pub seconds: i64,
    /// The label expression that it asks for.
    pub label: Option<String>,
}

/// Reads the trace of a file, as `mita history --trace` writes it.
pub fn load(path: &Path) -> Result<Vec<Job>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    read(&text).map_err(|error| format!("{}:{error}", path.display()))
}

/// Reads a trace. An error begins with the number of its line.
pub fn read(text: &str) -> Result<Vec<Job>, String> {
    let mut jobs = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            jobs.push(job(line).map_err(|error| format!("{}: {error}: {line}", number + 1))?);
        }
    }
    if jobs.is_empty() {
        return Err("1: no job; a line is `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`".to_owned());
    }
    jobs.sort_by_key(|job| job.at);
    Ok(jobs)
}

fn job(line: &str) -> Result<Job, String> {
    let form = || "not `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`, in whole seconds".to_owned();
    let (at, rest) = line.split_once(char::is_whitespace).ok_or_else(form)?;
    let (seconds, label) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest, ""));
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| form());
    let (at, seconds) = (number(at)?, number(seconds)?);
    if !(0..=MOST_SECONDS).contains(&at) || !(0..=MOST_SECONDS).contains(&seconds) {
        return Err(format!("seconds are from 0 to {MOST_SECONDS}"));
    }
    let label = label.trim();
    Ok(Job {
        at,
        seconds,
        label: (!label.is_empty()).then(|| label.to_owned()),
    })
}

/// Five working days: a trickle at night, bursts around the hours at which people push, and a long build each evening.
pub fn own_week() -> Vec<Job> {
    let mut random = Random::new(2026);
    let mut below = |most: i64| random.below(most);
    let mut jobs = Vec::new();
    for day in 0..5 {
        for hour in 0..24 {
            let count = match hour {
                9 | 11 | 14 | 16 => 14,
                8..19 => 5,
                _ => 1,
            };
            for _ in 0..count {
                let at = day * 86_400 + hour * 3600 + below(3600);
                let label =
                    ["linux&&x86_64", "linux&&x86_64", "arm64", "linux"][usize::try_from(below(4)).unwrap_or(0)];
                jobs.push(Job {
                    at,
                    seconds: 120 + below(900),
                    label: Some(label.to_owned()),
                });
            }
        }
        jobs.push(Job {
            at: day * 86_400 + 20 * 3600,
            seconds: 4 * 3600,
            label: Some("x86_64".to_owned()),
        });
    }
    jobs.sort_by_key(|j| j.at);
    jobs
}

/// A configuration but for its templates.
const SERVICES: &str = "\
owner: simulation
jenkins: {url: 'http://127.0.0.1:1', user: u, token: t}
provider: {cloud: {type: openstack, auth_url: 'http://127.0.0.1:1', auth_version: 3.x_password, username: u,
  password: p, tenant_name: t, service_region: r}}
defaults: {provider: cloud, image_name: i, size: s, keyname: k, script: '#!/bin/sh'}
nodes:
";

const OWN: &str = "  linux: {labels: [linux, x86_64], max: 20}
  arm: {labels: [linux, arm64], max: 8}
";

/// The templates of the made-up week.
pub fn own_config() -> Result<Config, Box<dyn Error>> {
    config_with(OWN)
}

/// Makes a configuration with these templates, the lines below `nodes`.
pub fn config_with(templates: &str) -> Result<Config, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mita.yaml");
    std::fs::write(&path, format!("{SERVICES}{templates}"))?;
    load_config(&path).map_err(Into::into)
}

/// Reads a configuration. An error holds all that is wrong, a line each.
pub fn load_config(path: &Path) -> Result<Config, String> {
    let loaded = mita::config::load(path, &|name| std::env::var(name).ok());
    loaded.map(|l| l.config).map_err(|error| error.lines().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(at: i64, seconds: i64, label: Option<&str>) -> Job {
        Job {
            at,
            seconds,
            label: label.map(str::to_owned),
        }
    }

    #[test]
    fn a_trace_is_read_in_the_order_of_time() {
        let text = "# mita history --trace\n\n60 30 linux && x86_64\n  0   5\n";
        let expected = vec![job(0, 5, None), job(60, 30, Some("linux && x86_64"))];
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn an_error_names_the_line_and_the_form() {
        for (text, expected) in [
            (
                "0 5\nsoon 5 a\n",
                "2: not `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`, in whole seconds: soon 5 a",
            ),
            (
                "17\n",
                "1: not `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`, in whole seconds: 17",
            ),
            ("0 -5 a\n", "1: seconds are from 0 to 3155760000: 0 -5 a"),
            (
                "# none\n",
                "1: no job; a line is `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`",
            ),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()));
        }
    }
}
