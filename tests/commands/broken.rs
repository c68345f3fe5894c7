//! Broken set-ups: each folder of `tests/broken` holds settings, what is laid over the shipped rules and
//! templates, which of them are absent, and every word that `check` must say.

use super::{Desk, copy_all, root};

#[test]
fn each_broken_set_up_gives_file_line_and_cure() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/broken")).unwrap() {
        let case = entry.unwrap();
        let name = case.file_name().into_string().unwrap();
        let settings = std::fs::read_to_string(case.path().join("postern.toml")).unwrap();
        let desk = Desk::with(&settings);
        for folder in ["rules", "templates"] {
            if settings.contains(&format!("{folder} = \"{folder}\"")) {
                copy_all(&root().join(folder), &desk.path(folder));
            }
        }
        copy_all(&case.path(), &desk.path(""));
        let absent = std::fs::read_to_string(case.path().join("absent")).unwrap_or_default();
        for file in absent.lines() {
            std::fs::remove_file(desk.path(file)).unwrap();
        }
        let ran = desk.run(&["check"]);
        let expected = std::fs::read_to_string(case.path().join("expected-error")).unwrap();
        if (ran.status, &ran.err) != (2, &expected) {
            wrong.push(format!(
                "{name} exits {} and says\n{}instead of\n{expected}",
                ran.status, ran.err
            ));
        }
        assert!(!ran.out.contains("everything is valid"), "{name}");
        count += 1;
    }
    assert!(count >= 30, "only {count} broken set-ups were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_shipped_set_is_valid_also_when_it_is_copied_out() {
    let desk = Desk::new();
    let shipped = desk.data(&["check"]);
    assert!(shipped.ends_with("everything is valid\n"), "{shipped}");
    for folder in ["rules", "templates"] {
        copy_all(&root().join(folder), &desk.path(folder));
    }
    let settings = format!("rules = \"rules\"\ntemplates = \"templates\"\n{}", super::SETTINGS);
    desk.write("postern.toml", settings);
    let copied = desk.data(&["check"]);
    assert!(copied.ends_with("everything is valid\n"), "{copied}");
    assert!(
        copied.contains("rules       rules\n") && shipped.contains("rules       shipped\n"),
        "{copied}"
    );
}

#[test]
fn settings_from_the_environment_are_named_but_never_shown() {
    let desk = Desk::new();
    let mut command = desk.command(&["check"]);
    command.env("POSTERN__SMTP__PASSWORD", "swordfish").env("POSTERN__COUNCIL__PREFIX", "ABC");
    command.env("POSTERN__SMTP__HOST", "localhost");
    let ran = super::finished(command);
    assert_eq!(ran.status, 2, "both [smtp] and [outgoing]: {ran:?}");
    let mut command = desk.command(&["check"]);
    command.env("POSTERN__COUNCIL__PREFIX", "ABC");
    let ran = super::finished(command);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.out.contains("POSTERN__COUNCIL__PREFIX from the environment"), "{ran:?}");
    let mut command = desk.command(&["check"]);
    command.env("POSTERN__COUNCIL__PREFIX", "a b");
    let ran = super::finished(command);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.err.contains("write two to six capital letters"), "{ran:?}");
}
