//! The instructions of a pass, counted by valgrind: a measure of its cost that is the same on each machine.
//!
//! What could still differ is taken out: the C library chooses its copying of memory by the processor, so it is told to
//! take the plain one and the same thresholds everywhere; the environment is empty; TLS is not spoken. What is left is
//! the compiler, the C library and whether the build is static. There is an accepted number for each kind of build, and
//! it says with which tools it was counted: with others the difference is shown and is nobody's fault.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::limits;
use crate::link::Link;
use crate::serve::Serving;
use crate::site::Site;
use crate::world::{Shape, Size, World};

/// The world whose number is kept.
const SIZE: Size = Size::new(1_000, 500, 500);

/// How far a count may be from the accepted number, in percent, either way: a saving is to be taken, too.
const TOLERANCE: f64 = 5.0;

/// Processor features that glibc's memory and string functions choose by, and thresholds that it derives from caches.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX_Usable,-AVX2_Usable,-AVX512F,-AVX512VL,-AVX512BW,-BMI2,-ERMS,\
                        -FSRM,-RTM,-SSSE3,-SSE4_1,-SSE4_2,-MOVBE,-LZCNT,-AVX_Fast_Unaligned_Load,\
                        -Fast_Unaligned_Copy,-Fast_Copy_Backward:\
                        glibc.cpu.x86_non_temporal_threshold=0xc0000:glibc.cpu.x86_rep_movsb_threshold=0x800";

/// Compares with the accepted number, or accepts; where sizes are given, only counts these.
pub fn run(mita: &Path, accept: bool, sizes: &[String], gzip: bool) -> Outcome<bool> {
    if !sizes.is_empty() {
        return list(mita, sizes, gzip);
    }
    let site = Site::open(mita, World::new(SIZE, Shape::ManyTemplates), Serving::default())?;
    let Some(count) = count(&site.run())? else {
        println!("valgrind is not installed: nothing is counted");
        return Ok(true);
    };
    let now = Accepted::now(mita, count)?;
    println!("{now}");
    if accept {
        now.write()?;
        return Ok(true);
    }
    Ok(compare(&now, Accepted::read(&now.build)?))
}

/// Counts the instructions of a pass in both shapes of some sizes.
fn list(mita: &Path, sizes: &[String], gzip: bool) -> Outcome<bool> {
    for shape in [Shape::FewTemplates, Shape::ManyTemplates] {
        println!("\n{shape}");
        for size in limits::sizes().filter(|size| size.is_chosen(sizes)) {
            let serving = Serving {
                gzip,
                link: Link::default(),
            };
            let site = Site::open(mita, World::new(size, shape), serving)?;
            let count = count(&site.run())?.ok_or("valgrind is not installed")?;
            println!("{:20}   {:10.1} million instructions", size.to_string(), count / 1e6);
        }
    }
    Ok(true)
}

/// Prints how far a count is from the accepted number; returns whether it is near enough.
fn compare(now: &Accepted, accepted: Option<Accepted>) -> bool {
    let accept = "accept it with: cargo run --release --example bench -- --instructions --accept";
    let Some(accepted) = accepted else {
        println!("no number is accepted for {}; {accept}", now.build);
        return true;
    };
    let percent = 100.0 * (now.count / accepted.count - 1.0);
    println!("{accepted}: accepted; {percent:+.1} %");
    if now.tools != accepted.tools {
        println!("it was counted with other tools, so that the difference says little; {accept}");
        return true;
    }
    let good = percent.abs() <= TOLERANCE;
    if !good {
        println!("more than {TOLERANCE} % from what was accepted; where that is meant, {accept}");
        println!("(for a static build with the same RUSTFLAGS and --target as in .ci/run)");
    }
    good
}

/// Counts the instructions of a command; `None` without valgrind.
pub fn count(command: &[impl AsRef<std::ffi::OsStr>]) -> Outcome<Option<f64>> {
    let folder = tempfile::tempdir()?;
    let profile = folder.path().join("callgrind");
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .args(command)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GLIBC_TUNABLES", TUNABLES)
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        output => output?,
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(Some(count)),
        _ => Err(format!("valgrind failed: {said}").into()),
    }
}

/// A count, and of what.
struct Accepted {
    /// Architecture, system and way of linking.
    build: String,
    count: f64,
    /// The compiler and the C library.
    tools: String,
}

impl Accepted {
    fn now(mita: &Path, count: f64) -> Outcome<Self> {
        let linked = if names_a_loader(&fs::read(mita)?) {
            "dynamic"
        } else {
            "static"
        };
        let library = if cfg!(target_env = "musl") { "musl" } else { "gnu" };
        Ok(Self {
            build: format!("{}-{}-{library}-{linked}", std::env::consts::ARCH, std::env::consts::OS),
            count,
            tools: tools(),
        })
    }

    fn read(build: &str) -> Outcome<Option<Self>> {
        let text = fs::read_to_string(Self::file())?;
        Ok(text.lines().filter_map(Self::of_line).find(|line| line.build == build))
    }

    fn of_line(line: &str) -> Option<Self> {
        let (build, rest) = line.split_once("  ")?;
        let (count, tools) = rest.split_once("  ")?;
        Some(Self {
            build: build.to_owned(),
            count: count.parse().ok()?,
            tools: tools.to_owned(),
        })
    }

    /// Puts it in the place of the line of the same build.
    fn write(&self) -> Outcome<()> {
        let text = fs::read_to_string(Self::file())?;
        let is_other = |line: &&str| Self::of_line(line).is_none_or(|other| other.build != self.build);
        let mut lines: Vec<String> = text.lines().filter(is_other).map(str::to_owned).collect();
        lines.push(self.to_string());
        Ok(fs::write(Self::file(), lines.join("\n") + "\n")?)
    }

    fn file() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bench/instructions.txt")
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}  {}", self.build, self.count, self.tools)
    }
}

/// A program that is linked dynamically names its loader in its first page.
fn names_a_loader(program: &[u8]) -> bool {
    let page = &program[..program.len().min(4_096)];
    page.windows(4).any(|bytes| bytes == b"/ld-")
}

/// Names the compiler of the toolchain in use, with which cargo builds, too, and the C library of this machine, which a
/// static build has in it.
fn tools() -> String {
    let says = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        said.unwrap_or_else(|_| format!("no {program}"))
    };
    format!(
        "{}, {}",
        says("rustc", "--version"),
        says("getconf", "GNU_LIBC_VERSION")
    )
}
