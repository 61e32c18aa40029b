//! Compiles RocksDB from the sources in the crate `librocksdb-sys`, in [`UNITS`] units instead of 343 files.
//!
//! A file of RocksDB has some hundred lines and includes tens of thousands. Compiled one by one, the files cost four times
//! the processor time, nearly all of it for the same headers and templates. RocksDB's own Makefile has a target that
//! compiles all files as one unit, so its files are written for it.
//!
//! `librocksdb-sys` still makes the bindings. It leaves the library to us, and to the linker the name `rocksdb`, because
//! `.cargo/config.toml` sets `ROCKSDB_LIB_DIR` to [`MARKER`]. With any other value this script does nothing.
//!
//! cargo goes by the times of files, and so runs it again in each checkout. It therefore keeps the library under a hash of
//! what it is made of, and compiles only what is not there.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// What `.cargo/config.toml` sets `ROCKSDB_LIB_DIR` to.
const MARKER: &str = "rocksdb-of-stepwell";

/// Enough to keep some cores busy, few enough to share headers; the largest needs 1.3 GB of memory.
const UNITS: usize = 12;

const SCRIPT: &str = include_str!("build.rs");

/// Parts of RocksDB that nothing refers to, neither `c.h` nor what it needs.
const UNUSED: [&str; 10] = [
    "test_util/",
    "tools/",
    "utilities/blob_db/",
    "utilities/cassandra/",
    "utilities/env_mirror",
    "utilities/fault_injection",
    "utilities/persistent_cache/",
    "utilities/secondary_index/",
    "utilities/simulator_cache/",
    "utilities/sorted_run_builder/",
];

fn main() {
    println!("cargo::rerun-if-env-changed=ROCKSDB_LIB_DIR");
    println!("cargo::rerun-if-env-changed=ROCKSDB_COMPILE");
    println!("cargo::rerun-if-changed=build.rs");
    let is_ours = variable("ROCKSDB_LIB_DIR").is_some_and(|folder| folder == MARKER);
    // The same rule as in librocksdb-sys.
    let is_theirs = variable("ROCKSDB_COMPILE")
        .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"));
    if is_ours && !is_theirs {
        compile();
    }
}

fn compile() {
    let crate_folder = PathBuf::from(needed("DEP_ROCKSDB_CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(needed("OUT_DIR"));
    let mut build = compiler(&crate_folder);
    // OUT_DIR is `build/<this crate>-<hash>/out`: this is beside the folders that cargo makes for build scripts.
    let kept = out.join(format!("../../rocksdb-{:016x}", key(&build, &crate_folder)));
    if !kept.is_dir() {
        for (number, sources) in units(&crate_folder).iter().enumerate() {
            let includes: String = sources
                .iter()
                .map(|source| format!("#include \"{source}\"\n"))
                .collect();
            let unit = out.join(format!("unit_{number:02}.cc"));
            fs::write(&unit, includes)
                .unwrap_or_else(|error| panic!("{}: {error}", unit.display()));
            build.file(unit);
        }
        build.compile("rocksdb");
        keep(&out.join("librocksdb.a"), &kept);
    }
    // librocksdb-sys has named the library; this says where it is.
    println!("cargo::rustc-link-search=native={}", kept.display());
}

/// Equal for two builds of the same library: it is made of this file, the sources, the compiler and its options.
fn key(build: &cc::Build, crate_folder: &Path) -> u64 {
    let compiler = build.get_compiler();
    let out = needed("OUT_DIR");
    let options: Vec<_> = compiler
        .args()
        .iter()
        .filter(|option| !option.to_string_lossy().contains(&out))
        .collect();
    let mut key = DefaultHasher::new();
    (
        SCRIPT,
        needed("TARGET"),
        crate_folder,
        compiler.path(),
        options,
    )
        .hash(&mut key);
    key.finish()
}

/// Moves the library to where other checkouts find it, too: whole or not at all, since a build may be killed.
fn keep(library: &Path, folder: &Path) {
    let new = folder.with_extension("new");
    fs::create_dir_all(&new)
        .and_then(|()| fs::rename(library, new.join("librocksdb.a")))
        .and_then(|()| fs::rename(&new, folder))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

/// The compiler with the options that librocksdb-sys gives it; how much it optimises is cargo's profile's to say.
fn compiler(crate_folder: &Path) -> cc::Build {
    let system = needed("CARGO_CFG_TARGET_OS");
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .std("c++20")
        .warnings(false)
        .cargo_metadata(false)
        .include(crate_folder)
        .include(crate_folder.join("rocksdb"))
        .include(crate_folder.join("rocksdb/include"))
        .include(needed("DEP_LZ4_INCLUDE"))
        .flag("-include")
        .flag("cstdint")
        .flag("-w")
        // No path of this machine in the texts of errors: the same sources give the same library anywhere.
        .flag_if_supported(format!("-ffile-prefix-map={}/=", crate_folder.display()))
        .flag_if_supported(format!("-ffile-prefix-map={}=rocksdb", needed("OUT_DIR")));
    for name in [
        "HAVE_ALIGNED_NEW",
        "HAVE_UINT128_EXTENSION",
        "ROCKSDB_PLATFORM_POSIX",
        "ROCKSDB_LIB_IO_POSIX",
    ] {
        build.define(name, None);
    }
    build.define("NDEBUG", "1").define("LZ4", "1");
    let of_system: &[&str] = match system.as_str() {
        "linux" => &[
            "OS_LINUX",
            "ROCKSDB_SCHED_GETCPU_PRESENT",
            "ROCKSDB_AUXV_GETAUXVAL_PRESENT",
            "ROCKSDB_FALLOCATE_PRESENT",
            "ROCKSDB_RANGESYNC_PRESENT",
        ],
        "macos" => &["OS_MACOSX"],
        _ => panic!("RocksDB's options for {system} are not known here: set ROCKSDB_COMPILE=1"),
    };
    for name in of_system {
        build.define(name, None);
    }
    build
}

/// RocksDB's files, in its own order, as units of about the same size.
fn units(crate_folder: &Path) -> Vec<Vec<String>> {
    let list = crate_folder.join("rocksdb_lib_sources.txt");
    println!("cargo::rerun-if-changed={}", list.display());
    let listed =
        fs::read_to_string(&list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let sources: Vec<(String, u64)> = listed
        .split_whitespace()
        // Its version is beside the folder, already filled in.
        .filter(|name| *name != "util/build_version.cc")
        .filter(|name| !UNUSED.iter().any(|unused| name.starts_with(unused)))
        .map(|name| format!("rocksdb/{name}"))
        .chain(["build_version.cc".to_owned()])
        .map(|name| {
            let path = crate_folder.join(&name);
            let file =
                fs::metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (name, file.len())
        })
        .collect();
    let total: u64 = sources.iter().map(|(_, size)| size).sum();
    let mut units = vec![Vec::new(); UNITS];
    let mut before = 0;
    for (name, size) in sources {
        let middle = before + size / 2;
        units[(middle * UNITS as u64 / total) as usize].push(name);
        before += size;
    }
    units
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A variable that cargo sets.
fn needed(name: &str) -> String {
    variable(name).unwrap_or_else(|| panic!("{name} is not set"))
}
