//! A ustar archive in memory: the same bytes for the same content.

/// The archive of `files`, in this order, each a name and its content. Owner, group and time of every file are 0.
///
/// # Panics
/// If a name has more than 100 bytes, or a file 8 GiB: a ustar header has no room for it.
pub(crate) fn archive<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, data) in files {
        append(&mut archive, name, data);
    }
    archive.into_inner().expect("an archive in memory takes all")
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, data: &[u8]) {
    let mut header = tar::Header::new_ustar();
    // `set_path` would normalise the name, and it can fail.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o444);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(data.len() as u64);
    header.set_cksum();
    archive.append(&header, data).expect("an archive in memory takes all");
}
