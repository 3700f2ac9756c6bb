//! `mita config`: what is printed. That it means the same as the file is checked by `Site::load` for every good file of
//! these tests.

use super::site::{JENKINS, NODE, PROVIDER, Site, file, no_env};

/// Returns the lines that begin with a key, without their indentation.
fn lines<'p>(printed: &'p str, key: &str) -> Vec<&'p str> {
    let begin = format!("{key}:");
    printed
        .lines()
        .map(str::trim_start)
        .filter(|line| line.starts_with(&begin))
        .collect()
}

#[test]
fn defaults_are_included() {
    let printed = Site::new().printed(&file(PROVIDER, JENKINS, NODE, ""));
    let wanted = "owner: ci
state_file: /home/ci/.local/state/mita/state.json
provider:
  openstack:
    username: u
    password: '***'
    auth_url: https://cloud:5000
    tenant_name: t
    interface: public
    token_cache: false
    type: openstack
    ca_file_only: false
    verify: true
    compress: auto
    connect_timeout: 10s
    timeout: 1m
jenkins:
  url: https://ci/jenkins/
  user: u
  token: '***'
  anchor: false
  labels_from: queue
  ca_file_only: false
  verify: true
  compress: auto
  connect_timeout: 10s
  timeout: 1m
nodes:
  small:
    labels:
    - a
    provider:
    - openstack
    max: 10
    min_ready: 0
    billing_period: none
    refresh:
      outdated: false
      budget: 10%
    executors: 1
    accepts_unlabelled: false
    priority: 100
    adopt: false
    image_name: i
    size: s
    storage: 0
    boot_volume: 0
    register: self
    idle_grace: 10m  # from timing
    boot_grace: 15m  # from timing
    max_lifetime: none  # from timing
remind: 1d
";
    // The rest are defaults alone: `config::tests` holds them against the tables of keys.
    let (own, rest) = printed.split_once("limits:\n").unwrap();
    assert_eq!(own, wanted);
    let sections: Vec<&str> = rest.lines().filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(
        sections,
        [
            "rules:",
            "timing:",
            "journal: true",
            "journal_max: 10MiB",
            "status_page_refresh: 1m"
        ]
    );
    for wanted in [
        "canary: 3",
        "max_body: 256MiB",
        "queue_grace: 0s",
        "backoff_first: 1m",
        "max_lifetime: none",
    ] {
        assert!(
            rest.lines().any(|line| line.trim_start() == wanted),
            "{wanted} in\n{rest}"
        );
    }
}

#[test]
fn what_comes_from_defaults_is_said() {
    let text = file(
        PROVIDER,
        JENKINS,
        "labels: [a]\nscript: |\n  #!/bin/sh\n\n    echo ' # no comment'\n",
        "defaults:\n  image_name: i\n  size: {vcpus: 2}\n  min_ready:\n  - {cron: '* * * * *', ready: 1}\n  \
         max_lifetime: 1d 1h\n  volume_type: ssd\n  networks: []\n  metadata: {'a: b': '1', c: 'yes'}\n",
    );
    let printed = Site::new().printed(&text);
    for wanted in [
        "image_name: i  # from defaults",
        "size:  # from defaults",
        "min_ready:  # from defaults",
        "max_lifetime: 1d 1h  # from defaults",
        "networks: []  # from defaults",
        "metadata:  # from defaults",
        "script: |",
        "timezone: UTC",
    ] {
        let key = wanted.split_once(':').unwrap().0;
        assert!(lines(&printed, key).contains(&wanted), "{wanted} in\n{printed}");
    }
    assert_eq!(lines(&printed, "volume_type"), [] as [&str; 0], "there is no volume");
    assert_eq!(lines(&printed, "defaults"), [] as [&str; 0]);
}

#[test]
fn what_comes_from_a_clouds_yaml_or_the_environment_is_said() {
    let site = Site::new();
    let home = site.path("home").display().to_string();
    let site = site
        .with("HOME", &home)
        .with("OS_REGION_NAME", "Two")
        .with("MITA_JENKINS_TOKEN", "hunter2");
    let clouds =
        "clouds: {ci: {auth: {auth_url: 'https://k', username: u, password: hunter2, project_name: t}, verify: no}}";
    site.write("home/.config/openstack/clouds.yaml", clouds, 0o600);
    let printed =
        site.printed(&file("", "user: u", NODE, "").replace("    auth_url: https://cloud:5000\n", "    cloud: ci\n"));
    let shown = site.short(&printed);
    for wanted in [
        "auth_url: https://k  # from home/.config/openstack/clouds.yaml: clouds.ci.auth.auth_url",
        "password: '***'  # from home/.config/openstack/clouds.yaml: clouds.ci.auth.password",
        "tenant_name: t  # from home/.config/openstack/clouds.yaml: clouds.ci.auth.project_name",
        "verify: false  # from home/.config/openstack/clouds.yaml: clouds.ci.verify",
        "service_region: Two  # from the environment: OS_REGION_NAME",
        "token: '***'  # from the environment: MITA_JENKINS_TOKEN",
        "# cloud: ci (what it says is written out)",
    ] {
        assert!(
            shown.lines().any(|line| line.trim_start() == wanted),
            "{wanted} in\n{shown}"
        );
    }
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn what_is_printed_is_printed_of_it_again() {
    let text = include_str!("../../mita.yaml.example");
    let site = Site::new();
    let printed = site.printed(text);
    let without_comments = |text: &str| text.replace("  # from defaults", "").replace("  # from timing", "");
    assert_eq!(without_comments(&site.printed(&printed)), without_comments(&printed));
    assert_eq!(no_env("HOME").as_deref(), Some("/home/ci"));
}

#[test]
fn no_secret_is_printed() {
    let site = Site::new();
    site.write("cloud", "#!/bin/sh\n", 0o755);
    let text = "provider: {exec: {command: ./cloud, environment: {CLOUD_TOKEN: hunter2}}, \
                b: {type: openstack, auth_url: 'https://k', token: hunter2, project: p}}\n\
                jenkins: {url: 'https://j', user: u, password: hunter2}\n\
                nodes: {n: {labels: [a], provider: [exec, b], image: i, size: s, options: {pull: missing, n: [1, 1.5, '2']}}}\n";
    let printed = site.printed(text);
    assert!(!printed.contains("hunter2"), "{printed}");
    assert_eq!(lines(&printed, "CLOUD_TOKEN"), ["CLOUD_TOKEN: '***'"]);
}

#[test]
fn the_password_of_a_proxy_is_not_shown() {
    let lines = "proxy: http://u:pro%78y-pass@proxy:3128";
    let jenkins = format!("{JENKINS}\n{lines}");
    let printed = Site::new().printed(&file(PROVIDER, &jenkins, NODE, ""));
    assert_eq!(lines_of(&printed), ["proxy: http://u:***@proxy:3128"]);
    let user = Site::new().printed(&file(
        PROVIDER,
        &format!("{JENKINS}\nproxy: http://u@proxy:3128"),
        NODE,
        "",
    ));
    assert_eq!(lines_of(&user), ["proxy: http://u@proxy:3128"]);
}

fn lines_of(printed: &str) -> Vec<&str> {
    lines(printed, "proxy")
}
