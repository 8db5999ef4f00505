//! What Git LFS keeps for the files of a push, in the store of the guarded repository itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use shipway_core::id::hex;
use shipway_core::lfs::{MOST, Pointer};
use shipway_core::policy::FileChange;
use shipway_core::problem::Problem;
use shipway_core::secrets::secrets;

use crate::hooks::search::SEARCHED;
use crate::hooks::staged::InHook;

/// Fills in why content that files stand for does not count, and what in it looks like secrets.
pub(super) fn look(git: &InHook<'_>, files: &mut [FileChange]) -> Result<(), Problem> {
    let blobs: Vec<String> = {
        let small = files.iter().filter(|file| file.size.is_some_and(|size| size <= MOST));
        small.map(|file| file.blob.clone()).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    };
    let asked: Vec<&str> = blobs.iter().map(String::as_str).collect();
    let contents = git.contents(&asked)?;
    let pointers = asked.iter().zip(&contents).filter_map(|(blob, text)| Some((*blob, Pointer::read(text)?)));
    let kept: BTreeMap<&str, Kept> = pointers.map(|(blob, pointer)| (blob, of(&git.top, &pointer))).collect();
    for file in files {
        match kept.get(file.blob.as_str()) {
            Some(Ok(secrets)) => file.secrets.extend(secrets.iter().cloned()),
            Some(Err(why)) => file.unkept = Some(why.clone()),
            None => {}
        }
    }
    Ok(())
}

/// The lines of the content that look like secrets, or why it does not count.
type Kept = Result<Vec<String>, String>;

fn of(top: &Path, pointer: &Pointer) -> Kept {
    let mut file = match File::open(top.join(pointer.place())) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err("nothing".into()),
        Err(error) => return Err(error.to_string()),
    };
    let (mut hash, mut size, mut start) = (Sha256::new(), 0, vec![]);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
        size += count as u64;
        if size <= SEARCHED {
            start.extend_from_slice(&buffer[..count]);
        }
    }
    let oid = hex(&hash.finalize());
    if (size, &oid) != (pointer.size, &pointer.oid) {
        return Err(format!("{size} bytes with the digest {oid}"));
    }
    Ok(if size <= SEARCHED { secrets(&start) } else { vec![] })
}
