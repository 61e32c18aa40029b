//! Runs the checks of the fuzz targets on their seeds, and on seeds with one altered byte: a short
//! version of `make fuzz`.

#[path = "../../../fuzz/checks/id.rs"]
mod id;
#[path = "../../../fuzz/checks/key.rs"]
mod key;
#[path = "../../../fuzz/checks/log.rs"]
mod log;
#[path = "../../../fuzz/checks/record.rs"]
mod record;

/// How many bytes of a seed are altered, at most.
const ALTERED: usize = 200;

fn run(target: &str, check: fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/");
    let seeds = std::fs::read_dir(format!("{folder}{target}")).expect("the corpus is there");
    let mut count = 0;
    for seed in seeds {
        let mut bytes = std::fs::read(seed.unwrap().path()).unwrap();
        check(&bytes);
        for at in (0..bytes.len()).step_by((bytes.len() / ALTERED).max(1)) {
            bytes[at] ^= 0x41;
            check(&bytes);
            check(&bytes[..at]);
            bytes[at] ^= 0x41;
        }
        count += 1;
    }
    assert!(count > 0, "{folder}{target} is empty");
}

#[test]
fn logs() {
    run("log", log::check);
}

#[test]
fn records() {
    run("record", record::check);
}

#[test]
fn ids() {
    run("id", id::check);
}

#[test]
fn keys() {
    run("key", key::check);
}
