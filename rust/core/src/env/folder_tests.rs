use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::create(&place.path().join("above/data")).unwrap();
    (place, folder)
}

#[test]
fn files_are_reached_wherever_the_folder_is_moved() {
    let (place, folder) = folder();
    assert_eq!(folder.displaced().unwrap(), None);
    let moved = place.path().join("moved");
    std::fs::rename(place.path().join("above/data"), &moved).unwrap();
    assert_eq!(
        folder.displaced().unwrap(),
        Some("it is not there any more")
    );
    let other = Folder::create(folder.path()).unwrap();
    assert_eq!(
        folder.displaced().unwrap(),
        Some("something else is there now")
    );
    let file = |name: &str| folder.path().join(name);
    folder
        .create(&file("a"))
        .unwrap()
        .write_all_at(b"a", 0)
        .unwrap();
    folder.rename(&file("a"), &file("b")).unwrap();
    folder.link(&file("b"), &file("c")).unwrap();
    folder.write("d", b"d").unwrap();
    folder.remove(&file("b")).unwrap();
    let mut names = folder.list(folder.path()).unwrap();
    names.sort();
    assert_eq!(names, ["c", "d"]);
    assert_eq!(other.list(other.path()).unwrap(), [""; 0]);
    assert_eq!(std::fs::read(moved.join("c")).unwrap(), b"a");
    assert_eq!(std::fs::read(folder.place().join("d")).unwrap(), b"d");
    std::fs::rename(&moved, place.path().join("again")).unwrap();
    std::fs::remove_dir(folder.path()).unwrap();
    std::fs::rename(place.path().join("again"), folder.path()).unwrap();
    assert_eq!(folder.displaced().unwrap(), None);
}

#[test]
fn a_changed_link_displaces_the_folder_that_was_opened_through_it() {
    let place = tempfile::tempdir().unwrap();
    let (link, one, two) = (
        place.path().join("link"),
        place.path().join("1"),
        place.path().join("2"),
    );
    for folder in [&one, &two] {
        std::fs::create_dir(folder).unwrap();
    }
    std::os::unix::fs::symlink(&one, &link).unwrap();
    let folder = Folder::open(&link).unwrap();
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&two, &link).unwrap();
    assert!(folder.displaced().unwrap().is_some());
    folder.write("file", b"").unwrap();
    assert!(one.join("file").exists() && !two.join("file").exists());
}

#[test]
fn a_file_is_identified_by_more_than_its_name() {
    let (_place, folder) = folder();
    let path = folder.path().join("a");
    let file = folder.create(&path).unwrap();
    assert_eq!(
        folder.identity(&path).unwrap(),
        Some(file.identity().unwrap())
    );
    let other = folder.create(&folder.path().join("b")).unwrap();
    folder.rename(&folder.path().join("b"), &path).unwrap();
    assert_eq!(
        folder.identity(&path).unwrap(),
        Some(other.identity().unwrap())
    );
    assert_ne!(file.identity().unwrap(), other.identity().unwrap());
    folder.remove(&path).unwrap();
    assert_eq!(folder.identity(&path).unwrap(), None);
}

#[test]
fn only_names_in_the_folder_are_accepted() {
    let (place, folder) = folder();
    for path in ["../a", "a/b", "", ".."] {
        let refused = folder.create(&folder.path().join(path)).err();
        assert!(refused.is_some(), "{path}");
    }
    assert!(folder.open(place.path()).is_err());
}

#[test]
fn the_lock_is_on_the_folder_itself() {
    let (_place, folder) = folder();
    let guard = folder.hold().unwrap();
    let again = || Folder::open(folder.path()).unwrap().hold();
    let refused = again().err().unwrap();
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    let process = format!("by process {}", std::process::id());
    assert!(refused.to_string().contains(&process), "{refused}");
    folder.remove_file(HOLDER).unwrap();
    assert_eq!(again().err().unwrap().kind(), io::ErrorKind::WouldBlock);
    drop(guard);
    drop(again().unwrap());
}

#[test]
fn a_forked_process_keeps_no_lock_and_takes_none_from_its_parent() {
    let (_place, folder) = folder();
    let guard = folder.hold().unwrap();
    let (mut reading, mut writing) = io::pipe().unwrap();
    let here = forks::generation();
    // SAFETY: the child calls nothing that another thread of this process may hold, and ends at once.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_free = forks::generation() != here;
        drop(guard); // it was closed when this process was made
        let mut byte = [0];
        let answer = reading.read(&mut byte);
        let status = i32::from(!(is_free && answer.is_ok()));
        unsafe { libc::_exit(status) };
    }
    let again = || Folder::open(folder.path()).unwrap().hold();
    assert_eq!(again().err().unwrap().kind(), io::ErrorKind::WouldBlock);
    drop(guard);
    drop(again().unwrap());
    writing.write_all(b"x").unwrap();
    let mut status = 0;
    // SAFETY: it is this process's child.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
}
