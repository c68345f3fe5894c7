//! Every crate that we link has a licence of `deny.toml`'s list, and none of the banned ones is there.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

fn deny() -> toml::Table {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    std::fs::read_to_string(file).unwrap().parse().unwrap()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform"])
        .arg("x86_64-unknown-linux-gnu")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Only what is resolved for this platform is linked.
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let used: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let all = metadata["packages"].as_array().unwrap();
    all.iter().filter(|one| used.contains(one["id"].as_str().unwrap())).cloned().collect()
}

/// Whether a licence expression can be met from the list: one side of each `OR`, all of each `AND`.
fn allowed(expression: &str, list: &BTreeSet<String>) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    plain.split(" AND ").all(|part| {
        part.split(" OR ").any(|one| {
            let one = one.trim().split(" WITH ").next().unwrap_or_default().trim();
            list.contains(one)
        })
    })
}

#[test]
fn every_licence_is_on_the_list() {
    let deny = deny();
    let list: BTreeSet<String> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect();
    let packages = packages();
    assert!(packages.len() > 100, "only {} packages were looked at", packages.len());
    let wrong: Vec<String> = packages
        .iter()
        // Our own, which come from nowhere else.
        .filter(|one| !one["source"].is_null())
        .filter(|one| !allowed(one["license"].as_str().unwrap_or_default(), &list))
        .map(|one| format!("{} {} ({})", one["name"], one["version"], one["license"]))
        .collect();
    assert!(wrong.is_empty(), "not on the list: {wrong:#?}");
}

#[test]
fn nothing_banned_is_linked() {
    let deny = deny();
    let banned: BTreeSet<&str> = deny["bans"]["deny"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["crate"].as_str().unwrap())
        .collect();
    let linked: Vec<String> = packages()
        .iter()
        .filter_map(|one| one["name"].as_str())
        .filter(|name| banned.contains(name))
        .map(str::to_owned)
        .collect();
    assert!(linked.is_empty(), "banned and linked: {linked:?}");
}

#[test]
fn expressions_are_read_as_their_words_say() {
    let list: BTreeSet<String> = ["MIT", "Apache-2.0"].map(str::to_owned).into();
    for good in ["MIT", "MIT OR GPL-2.0-only", "MIT/Apache-2.0", "(MIT OR X) AND Apache-2.0"] {
        assert!(allowed(good, &list), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-2.0-only", "X OR Y"] {
        assert!(!allowed(bad, &list), "{bad}");
    }
}
