//! Traces: reading one, and a made-up week with its templates.

use std::error::Error;

use mita::config::Config;

use super::fakes::World;

/// A job of a trace.
#[derive(Clone, Debug)]
pub struct Job {
    /// Seconds since the start.
    pub at: i64,
    /// How long it runs.
    pub seconds: i64,
    /// What it asks for.
    pub label: Option<String>,
}

/// Reads a trace.
pub fn read(text: &str) -> Result<Vec<Job>, Box<dyn Error>> {
    let mut jobs = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bad = || {
            format!(
                "line {}: not `SECONDS_SINCE_START RUNS_FOR_SECONDS LABEL`: {line}",
                number + 1
            )
        };
        let (at, rest) = line.split_once(char::is_whitespace).ok_or_else(bad)?;
        let (seconds, label) = rest.trim_start().split_once(char::is_whitespace).unwrap_or((rest, ""));
        let label = label.trim();
        jobs.push(Job {
            at: at.parse().map_err(|_| bad())?,
            seconds: seconds.parse().map_err(|_| bad())?,
            label: (!label.is_empty()).then(|| label.to_owned()),
        });
    }
    jobs.sort_by_key(|j| j.at);
    Ok(jobs)
}

/// Five working days: a trickle at night, bursts around the hours at which people push, and a long build each evening.
pub fn own_week() -> Vec<Job> {
    let world = World::new(2026);
    let mut state = world.lock();
    let mut below = |most: i64| state.random.below(most);
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

const OWN: &str = "\
owner: simulation
jenkins: {url: 'http://127.0.0.1:1', user: u, token: t}
provider: {cloud: {type: openstack, auth_url: 'http://127.0.0.1:1', auth_version: 3.x_password, username: u,
  password: p, tenant_name: t, service_region: r}}
defaults: {provider: cloud, image_name: i, size: s, keyname: k, script: '#!/bin/sh'}
nodes:
  linux: {labels: [linux, x86_64], max: 20}
  arm: {labels: [linux, arm64], max: 8}
";

/// The templates of the made-up week.
pub fn own_config() -> Result<Config, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("mita.yaml");
    std::fs::write(&path, OWN)?;
    super::load(&path)
}
