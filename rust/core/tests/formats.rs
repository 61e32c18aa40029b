//! A format of a newer version is refused; the error names both format numbers.

use rocksdb::{ColumnFamilyDescriptor, DB, Options};
use stepwell_core::storage::{Storage, StorageOptions};

#[test]
fn storage_of_a_newer_format_is_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Storage::open(Some(folder.path()), &StorageOptions::default());
    open().unwrap().flush().unwrap();
    let options = Options::default();
    let families = DB::list_cf(&options, folder.path()).unwrap();
    let families = families
        .into_iter()
        .map(|name| ColumnFamilyDescriptor::new(name, Options::default()));
    let db = DB::open_cf_descriptors(&options, folder.path(), families).unwrap();
    db.put(b"\x00format", 2_u32.to_be_bytes()).unwrap();
    drop(db);
    let refused = open().err().expect("refused").to_string();
    let path = folder.path().display();
    assert_eq!(
        refused,
        format!("{path} has format 2, and this version knows 1 and older; upgrade it")
    );
}
