//! Who may use what is served on loopback: this machine, and no website that its browser is on.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// A request from a page that was served here, or from no page at all. A website whose name points here (DNS
/// rebinding) has its own name in `Host`; a page that sends requests here has its own `Origin`.
pub(crate) fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(Ok(host)), None) = (hosts.next().map(|host| host.to_str()), hosts.next()) else { return false };
    let is_address = |host: &str| {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok()
    };
    let mut origins = headers.get_all(header::ORIGIN).iter();
    is_address(host) && origins.all(|origin| origin.as_bytes() == format!("http://{host}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_welcome(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_of_this_machine(&headers)
    }

    #[test]
    fn other_websites_are_kept_out() {
        for host in ["127.0.0.1:9000", "localhost:9000", "[::1]:9000", "localhost", "192.168.0.7:9000"] {
            assert!(is_welcome(host, None), "{host}");
            assert!(is_welcome(host, Some(&format!("http://{host}"))), "{host}");
            assert!(!is_welcome(host, Some("https://evil.example")), "{host}");
            assert!(!is_welcome(host, Some("null")), "{host}");
        }
        for host in ["evil.example:9000", "localhost.evil.example", "127.0.0.1.evil.example:9000", ""] {
            assert!(!is_welcome(host, None), "{host}");
        }
        assert!(!is_of_this_machine(&HeaderMap::new()));
        assert!(!is_welcome("localhost:9000", Some("http://localhost:9001")));
    }
}
