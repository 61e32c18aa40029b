//! Ids: printing an accepted id gives the same text, and an id names its partition.

use stepwell_core::clock::parse_timestamp;
use stepwell_core::id::{self, Id};

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let _ = parse_timestamp(text);
    let _ = id::check_name("tenant", text);
    let Ok(id) = Id::parse(text) else {
        return;
    };
    assert_eq!(id.to_string(), text, "an id has one spelling");
    assert!(text.starts_with(&id.partition_key()));
    assert!(id::check_name("tenant", id.tenant).is_ok());
    for partitions in [1, 2, 3, 255] {
        assert!(id::partition(id.hash, partitions) < partitions);
    }
    if let Some(execution) = id.execution() {
        let execution = execution.to_string();
        assert!(text.starts_with(&execution));
        assert_eq!(Id::parse(&execution).unwrap().to_string(), execution);
    }
}
