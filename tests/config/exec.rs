//! The keys of a provider of type exec: what is accepted, and the exact lines about what is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mita::config::Loaded;
use mita::model::{ImageRef, SizeRef};
use mita::provider::exec::program::ExecProgram;

use super::site::{Site, indented};

/// A folder with executables, and the configuration in it.
struct Folder(Site);

impl Folder {
    fn new() -> Self {
        let site = Site::new();
        let bin = site.root().canonicalize().unwrap().join("bin");
        let path = format!("/nowhere:{}", bin.display());
        let site = site.with("PATH", &path);
        let folder = Self(site.with("MITA_JENKINS_TOKEN", "not for the command"));
        folder.program("cloud", 0o755);
        folder
    }

    fn path(&self) -> PathBuf {
        self.0.root().canonicalize().unwrap()
    }

    fn program(&self, name: &str, mode: u32) {
        self.0.write(name, "#!/bin/sh\n", mode);
    }

    fn try_load(&self, providers: &str, node: &str) -> Result<Loaded, Vec<String>> {
        self.try_load_with("token: t0ken", providers, node)
    }

    fn try_load_with(&self, token: &str, providers: &str, node: &str) -> Result<Loaded, Vec<String>> {
        let text = format!(
            "provider:\n{}jenkins: {{url: \"https://jenkins.example.com\", user: mita, {token}}}\nnodes:\n  small:\n    \
             labels: [a]\n{}",
            indented(providers, "  "),
            indented(node, "    "),
        );
        self.0.load(text)
    }

    fn load(&self, providers: &str, node: &str) -> Loaded {
        self.try_load(providers, node)
            .unwrap_or_else(|lines| panic!("{}", lines.join("\n")))
    }

    fn load_with(&self, token: &str, providers: &str, node: &str) -> Loaded {
        self.try_load_with(token, providers, node)
            .unwrap_or_else(|lines| panic!("{}", lines.join("\n")))
    }

    #[track_caller]
    fn refused(&self, providers: &str, node: &str) -> Vec<String> {
        self.try_load(providers, node).map(|_| "loaded").unwrap_err()
    }
}

fn program_of(loaded: &Loaded, name: &str) -> ExecProgram {
    let settings = &loaded.config.provider(name).unwrap().settings;
    settings.downcast::<ExecProgram>().unwrap().clone()
}

const EXEC: &str = "exec:\n  command: ./cloud";

#[test]
fn a_command_and_a_node_are_all_that_is_needed() {
    let folder = Folder::new();
    let loaded = folder.load(EXEC, "provider: exec");
    let endpoint = program_of(&loaded, "exec");
    assert_eq!(endpoint.program.canonicalize().unwrap(), folder.path().join("cloud"));
    assert_eq!(endpoint.arguments, [] as [&str; 0]);
    assert_eq!(endpoint.folder, folder.path());
    assert_eq!(
        (endpoint.provider.as_str(), endpoint.owner.as_str()),
        ("exec", "jenkins.example.com")
    );
    assert_eq!((endpoint.timeout.as_secs(), endpoint.max_output), (60, 256 << 20));
    let spec = &loaded.config.template("small").unwrap().spec;
    assert_eq!(spec.image, ImageRef::Name(String::new()));
    assert_eq!(spec.size, SizeRef::Named(String::new()));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn every_key_is_read() {
    let folder = Folder::new();
    folder.program("bin/tool", 0o755);
    let providers = "docker:\n  type: exec\n  command: [tool, -v, -v, \"two words\"]\n  environment: {DOCKER_HOST: \
                     tcp://d:2375, N: 1}\n  timeout: 5m\n  max_servers: 7";
    let node = "provider: docker\nimage: debian\nsize: {vcpus: 2}\noptions: {network: [a, 1, true], deep: {x: 1.5}}";
    let loaded = folder.load(providers, node);
    let endpoint = program_of(&loaded, "docker");
    assert_eq!(endpoint.program, folder.path().join("bin/tool"));
    assert_eq!(endpoint.arguments, ["-v", "-v", "two words"]);
    assert_eq!(endpoint.timeout.as_secs(), 300);
    assert_eq!(loaded.config.provider("docker").unwrap().max_servers, Some(7));
    let values: Vec<&str> = endpoint
        .environment
        .values()
        .map(mita::secret::Secret::reveal)
        .collect();
    assert_eq!(values, ["tcp://d:2375", "1"]);
    let path = format!("/nowhere:{}", folder.path().join("bin").display());
    let inherited = [("HOME", "/home/ci"), ("PATH", path.as_str())];
    let inherited: BTreeMap<String, String> = inherited.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    assert_eq!(
        endpoint.inherited, inherited,
        "nothing but what is known to be harmless"
    );
    assert!(!format!("{endpoint:?}").contains("2375"), "may be a secret");
    let spec = &loaded.config.template("small").unwrap().spec;
    assert_eq!(spec.image, ImageRef::Name("debian".to_owned()));
    assert_eq!(spec.options["network"], serde_json::json!(["a", 1, true]));
    assert_eq!(spec.options["deep"], serde_json::json!({"x": 1.5}));
}

#[test]
fn a_program_is_found_beside_the_file_first_then_on_the_path() {
    let folder = Folder::new();
    folder.program("bin/cloud", 0o755);
    let program = |providers: &str| program_of(&folder.load(providers, "provider: exec"), "exec").program;
    assert_eq!(program("exec: {command: cloud}"), folder.path().join("cloud"));
    fs::remove_file(folder.path().join("cloud")).unwrap();
    assert_eq!(program("exec: {command: cloud}"), folder.path().join("bin/cloud"));
    folder.program("other/cloud", 0o755);
    let other = folder.path().join("other");
    let path = format!(
        "exec: {{command: cloud, environment: {{PATH: \"{}\"}}}}",
        other.display()
    );
    assert_eq!(program(&path), other.join("cloud"), "the PATH that it is given");
    assert_eq!(
        program(&format!("exec: {{command: {}/cloud}}", other.display())),
        other.join("cloud")
    );
}

#[test]
fn what_cannot_be_run_is_said_with_its_place() {
    let folder = Folder::new();
    folder.program("plain", 0o644);
    fs::create_dir(folder.path().join("dir")).unwrap();
    let what = "name your executable, like [./provider, --verbose]";
    let cases = [
        ("exec: {}", format!("mita.yaml:2:3: provider.exec.command: missing; {what}")),
        ("exec:", format!("mita.yaml:2:3: provider.exec.command: missing; {what}")),
        ("exec: {command: }", format!("mita.yaml:2:10: provider.exec.command: is empty; {what}")),
        ("exec: {command: []}", format!("mita.yaml:2:10: provider.exec.command: is empty; {what}")),
        ("exec: {command: [\" \"]}", format!("mita.yaml:2:20: provider.exec.command[0]: is empty; {what}")),
        (
            "exec: {command: ./gone}",
            "mita.yaml:2:19: provider.exec.command: cannot run ./gone: No such file or directory (os error 2); check path \
             and permissions"
                .to_owned(),
        ),
        (
            "exec: {command: ./plain}",
            "mita.yaml:2:19: provider.exec.command: cannot run ./plain: it is not executable; chmod +x it".to_owned(),
        ),
        (
            "exec: {command: ./dir}",
            "mita.yaml:2:19: provider.exec.command: cannot run ./dir: it is no file; name the program in it".to_owned(),
        ),
    ];
    for (providers, expected) in cases {
        assert_eq!(folder.refused(providers, "provider: exec"), [expected], "{providers}");
    }
    let lines = folder.refused("exec: {command: gone}", "provider: exec");
    assert!(
        lines[0].contains("there is no executable \"gone\" beside this file or in /nowhere:"),
        "{lines:?}"
    );
    assert!(
        lines[0].ends_with("write its path, or set environment.PATH"),
        "{lines:?}"
    );
    let lines = folder.refused("exec: {command: cloud --verbose}", "provider: exec");
    assert!(
        lines[0].ends_with("write the command as a list: [program, argument]"),
        "{lines:?}"
    );
}

#[test]
fn the_keys_of_the_other_type_say_whose_they_are() {
    let folder = Folder::new();
    let openstack = "openstack:\n  auth_url: https://cloud\n  username: u\n  password: p\n  tenant_name: t";
    let foreign = "belongs to type openstack; remove it (what the command needs goes into environment)";
    let providers = format!("{EXEC}\n  auth_url: https://x\n  ex_force_service_region: r\n  password: x");
    assert_eq!(
        folder.refused(&providers, "provider: exec"),
        [
            format!("mita.yaml:4:15: provider.exec.auth_url: {foreign}"),
            format!("mita.yaml:5:30: provider.exec.ex_force_service_region: {foreign}"),
            format!("mita.yaml:6:15: provider.exec.password: {foreign}"),
        ]
    );
    let providers = format!("{openstack}\n  command: ./cloud\n  environment: {{A: b}}");
    let own = "belongs to type exec; remove it, or write type: exec";
    assert_eq!(
        folder.refused(&providers, "provider: openstack\nimage: i\nsize: s"),
        [
            format!("mita.yaml:7:5: provider.openstack.command: {own}"),
            format!("mita.yaml:8:5: provider.openstack.environment: {own}"),
        ]
    );
    let providers = format!("{EXEC}\n  comand: x\n  environment: {{\"A=B\": c, D: }}");
    assert_eq!(
        folder.refused(&providers, "provider: exec"),
        [
            "mita.yaml:4:5: provider.exec.comand: unknown key; did you mean command?",
            "mita.yaml:5:26: provider.exec.environment.A=B: cannot be the name of a variable; rename it",
            "mita.yaml:5:29: provider.exec.environment.D: is empty; write \"\" for an empty text",
        ]
    );
}

#[test]
fn image_and_size_are_needed_as_soon_as_an_openstack_is_among_the_providers() {
    let folder = Folder::new();
    let providers =
        format!("{EXEC}\nopenstack:\n  auth_url: https://cloud\n  username: u\n  password: p\n  tenant_name: t");
    let lines = folder.refused(&providers, "provider: [exec, openstack]");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("nodes.small.image_name: missing"), "{lines:?}");
    assert!(lines[1].contains("nodes.small.size: missing"), "{lines:?}");
    folder.load(
        &providers,
        "provider: [exec, openstack]\nimage: i\nsize: s\noptions: {a: 1}",
    );
    let lines = folder.refused(&providers, "provider: openstack\nimage: i\nsize: s\noptions: {a: 1}");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let text = "nodes.small.options: is for providers of type exec, and this template has none; remove it";
    assert!(lines[0].ends_with(text), "{lines:?}");
    // What is there must be right all the same.
    let lines = folder.refused(EXEC, "provider: exec\nimage_name: \"\"\nsize: \" \"");
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn a_script_is_bounded_only_where_nova_bounds_it() {
    let folder = Folder::new();
    let long = format!("provider: exec\nscript: \"#!/bin/sh {}\"", "x".repeat(60_000));
    folder.load(EXEC, &long);
    let providers =
        format!("{EXEC}\nopenstack:\n  auth_url: https://cloud\n  username: u\n  password: p\n  tenant_name: t");
    let both = format!(
        "{}\nimage: i\nsize: s",
        long.replace("provider: exec", "provider: [exec, openstack]")
    );
    let lines = folder.refused(&providers, &both);
    assert!(lines[0].contains("too long for the cloud"), "{lines:?}");
}

#[test]
fn a_program_that_everyone_may_change_is_warned_of() {
    let folder = Folder::new();
    folder.program("open", 0o777);
    let loaded = folder.load("exec: {command: ./open}", "provider: exec");
    let texts: Vec<&str> = loaded.warnings.iter().map(|warning| warning.text.as_str()).collect();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(
        texts[0].ends_with("open can be changed by everyone; chmod o-w it"),
        "{texts:?}"
    );
    assert!(Path::new(&folder.path().join("open")).exists());
}

#[test]
fn a_secret_in_the_environment_asks_for_a_private_file() {
    let folder = Folder(Folder::new().0.readable());
    let said = |variable: &str| {
        // The controller's token stands elsewhere here, so that it is not the reason.
        let providers = format!("{EXEC}\n  environment: {{{variable}: x}}");
        let text = "holds a secret and can be read by everyone";
        let loaded = folder.load_with("token_file: ./token", &providers, "provider: exec");
        loaded
            .warnings
            .iter()
            .filter(|warning| warning.text.contains(text))
            .count()
    };
    folder.0.write("token", "t0ken", 0o600);
    assert_eq!(said("DOCKER_HOST"), 0);
    assert_eq!(said("CLOUD_TOKEN_FILE"), 0);
    assert_eq!(said("CLOUD_TOKEN"), 1);
}

#[test]
fn an_empty_region_is_none_for_a_program_too() {
    let folder = Folder::new();
    for region in ["service_region: ~", "region: ''", "region_name: ' '"] {
        folder.load(&format!("exec: {{command: cloud, {region}}}"), "provider: exec");
    }
    let lines = folder.refused("exec: {command: cloud, service_region: here}", "provider: exec");
    assert!(lines[0].contains("belongs to type openstack"), "{lines:?}");
}
