//! The mailbox on disk, written once and linked into each user's Maildir.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use crate::letters::{self, Letter};
use crate::support::dovecot::Dovecot;

/// The messages as files, named as Dovecot's own delivery names them.
pub(crate) struct Spool {
    folder: PathBuf,
    /// Sizes as the server counts, in ascending order.
    pub(crate) sizes: Vec<usize>,
}

impl Spool {
    /// Writes the mailbox.
    pub(crate) fn write(folder: &Path) -> Self {
        std::fs::create_dir(folder).expect("the folder can be written to");
        let mut sizes: Vec<usize> = letters::all()
            .enumerate()
            .map(|(number, letter)| keep(folder, number, &letter))
            .collect();
        sizes.sort_unstable();
        Self { folder: folder.to_owned(), sizes }
    }

    /// Gives a new user the whole mailbox.
    pub(crate) fn deliver(&self, server: &Dovecot, user: &str) {
        let maildir = server.maildir(user);
        let home = maildir.parent().expect("a Maildir is in a home").to_owned();
        let mail = home.parent().expect("a home is in the folder of all").to_owned();
        let owner = std::fs::metadata(&mail).expect("the server has its folder");
        for part in ["tmp", "new", "cur"] {
            std::fs::create_dir_all(maildir.join(part))
                .expect("the server's folder can be written to");
        }
        for place in
            [&home, &maildir, &maildir.join("tmp"), &maildir.join("new"), &maildir.join("cur")]
        {
            chown(place, Some(owner.uid()), Some(owner.gid())).expect("mail has its owner");
        }
        for entry in std::fs::read_dir(&self.folder).expect("the spool").flatten() {
            let copy = maildir.join("new").join(entry.file_name());
            std::fs::hard_link(entry.path(), &copy).expect("both folders are on one file system");
            chown(&copy, Some(owner.uid()), Some(owner.gid())).expect("mail has its owner");
        }
    }

    /// Gives a user one message more.
    pub(crate) fn deliver_huge(&self, server: &Dovecot, user: &str, bytes: usize) {
        let draft = self.folder.with_extension("huge");
        std::fs::create_dir(&draft).expect("the folder can be written to");
        let letter = letters::huge(bytes);
        keep(&draft, letters::MESSAGES, &letter);
        Self { folder: draft, sizes: Vec::new() }.deliver(server, user);
    }
}

/// How many messages lie in a user's folder of what is done.
pub(crate) fn processed(server: &Dovecot, user: &str) -> usize {
    let folder = server.maildir(user).join(".Processed");
    ["new", "cur"]
        .iter()
        .filter_map(|part| std::fs::read_dir(folder.join(part)).ok())
        .map(Iterator::count)
        .sum()
}

fn keep(folder: &Path, number: usize, letter: &Letter) -> usize {
    let size = letter.wire_size();
    let name = format!("1772528400.M{number:06}P1.mail,S={},W={size}", letter.bytes.len());
    std::fs::write(folder.join(name), &letter.bytes).expect("the folder can be written to");
    size
}
