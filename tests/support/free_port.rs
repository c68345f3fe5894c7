//! Ports on which nobody listens.

use std::net::TcpListener;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which systems take ports for outgoing connections and for port 0: a port
/// found here stays free until its server binds it, and again while that server is down.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;

/// `N` different free loopback ports.
pub fn free_ports<const N: usize>() -> [u16; N] {
    [(); N].map(|()| free_port())
}

/// A free loopback port, another one at each call.
pub fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicU32> = OnceLock::new();
    // Test programs run side by side: each begins somewhere else.
    let next = NEXT.get_or_init(|| AtomicU32::new(std::process::id().wrapping_mul(997)));
    loop {
        let number = FIRST + next.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = u16::try_from(number).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
