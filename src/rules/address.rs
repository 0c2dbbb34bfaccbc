//! [`AddressRange`]: a range of IP addresses (RFC 4632, RFC 4291, section 2.3).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An address, or a range such as `10.0.0.0/8` or `2001:db8::/32`. A range of IPv4 also holds the IPv6 addresses
/// that stand for its own (`::ffff:10.0.0.1`).
///
/// ```
/// use lambda_authorizer::rules::AddressRange;
///
/// let range: AddressRange = "10.0.0.0/8".parse()?;
/// assert!(range.contains("10.1.2.3".parse()?));
/// assert!(!range.contains("11.1.2.3".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u32,
}

impl AddressRange {
    /// Whether the address is one of the range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                high_bits(u32::from(network).into(), 32, self.prefix)
                    == high_bits(u32::from(address).into(), 32, self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                high_bits(network.into(), 128, self.prefix) == high_bits(address.into(), 128, self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Of a number of so many bits, those of the prefix.
fn high_bits(number: u128, bits: u32, prefix: u32) -> u128 {
    number.checked_shr(bits.saturating_sub(prefix)).unwrap_or_default()
}

impl FromStr for AddressRange {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (network, prefix) = match text.split_once('/') {
            Some((network, prefix)) => (network, Some(prefix)),
            None => (text, None),
        };
        let network: IpAddr = network.parse().map_err(|_| AddressError::Form)?;
        let bits = if network.is_ipv4() { 32 } else { 128 };
        let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = match prefix {
            None => bits,
            Some(prefix) => prefix.parse().ok().filter(|_| is_number(&prefix)).ok_or(AddressError::Form)?,
        };
        if prefix > bits {
            return Err(AddressError::Prefix);
        }
        if matches!(network, IpAddr::V6(address) if address.to_ipv4_mapped().is_some()) {
            return Err(AddressError::Mapped);
        }
        let host_bits = match network {
            IpAddr::V4(address) => u128::from(u32::from(address)).checked_shl(96 + prefix),
            IpAddr::V6(address) => u128::from(address).checked_shl(prefix),
        };
        if host_bits.unwrap_or_default() != 0 {
            return Err(AddressError::HostBits);
        }
        Ok(Self { network, prefix })
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.network, self.prefix)
    }
}

/// Why a text is no [`AddressRange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No address, or no number behind the slash.
    #[error("it is neither an IP address nor a range such as `10.0.0.0/8`")]
    Form,
    /// More bits than the address has.
    #[error("the prefix is longer than the address")]
    Prefix,
    /// `10.1.0.0/8`: the range is another one than the address suggests.
    #[error(
        "the address has bits behind the prefix: the range starts elsewhere, as `10.0.0.0/8` does for `10.1.0.0/8`"
    )]
    HostBits,
    /// `::ffff:10.0.0.0`.
    #[error("an IPv4 range is written as such")]
    Mapped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_addresses() {
        for (range, address, expected) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.0/8", "2001:db8::1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("::/0", "192.0.2.7", false),
            ("::1", "::1", true),
        ] {
            let parsed: AddressRange = range.parse().unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), expected, "{range} {address}");
        }
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (text, expected) in [
            ("", AddressError::Form),
            ("10.0.0", AddressError::Form),
            ("10.0.0.0/", AddressError::Form),
            ("10.0.0.0/+8", AddressError::Form),
            ("10.0.0.0/8/8", AddressError::Form),
            ("10.0.0.0/33", AddressError::Prefix),
            ("2001:db8::/129", AddressError::Prefix),
            ("10.1.0.0/8", AddressError::HostBits),
            ("2001:db8::1/32", AddressError::HostBits),
            ("::ffff:10.0.0.0/104", AddressError::Mapped),
        ] {
            assert_eq!(text.parse::<AddressRange>(), Err(expected), "{text}");
        }
        for text in ["10.1.2.3/32", "0.0.0.0/0", "::/0", "2001:db8::1/128"] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), text);
        }
    }
}
