//! Ports on which nobody listens.

use std::net::TcpListener;

/// `N` different free loopback ports. All are held until the last is found, so that no two are the
/// same; a server must bind them soon after.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.each_ref().map(|listener| listener.local_addr().unwrap().port())
}
