//! What is looked up in a DynamoDB table.

#[cfg(feature = "dynamodb")]
mod sections {
    use serde::Deserialize;

    use crate::config::values;

    /// The DynamoDB table in which API keys, users and revocations are looked up. Where it is needed, the function is built with the feature `dynamodb`.
    #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["table"])))]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct DynamoDbTable {
        /// The name of the table, or its ARN.
        pub(in crate::config) table: Option<String>,
        /// Its region. Default: that of the function, `AWS_REGION`.
        pub(in crate::config) region: Option<String>,
        /// The endpoint of DynamoDB, such as that of a VPC. Default: the region's own.
        pub(in crate::config) endpoint: Option<String>,
        /// Whether a read sees every write that was done before. It costs twice as much. Default: `false`: a change may be overlooked
        /// for a moment, beside the time for which an answer is used.
        pub(in crate::config) consistent_read: bool,
        /// How long a question may take, all attempts together, in milliseconds: 100 to 8000. Default: 2000.
        #[cfg_attr(feature = "schema", schemars(range(min = 100, max = 8000)))]
        pub(in crate::config) timeout_milliseconds: Option<u64>,
        /// Certificates of authorities that vouch for the endpoint beside the public ones: the path of a PEM file, relative to this
        /// one.
        pub(in crate::config) ca_file: Option<String>,
        /// The proxy on the way to the endpoint, as for an issuer.
        pub(in crate::config) proxy: Option<String>,
    }

    /// How API keys are recognized and checked that lie in the table of `[dynamodb]`.
    #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[cfg_attr(feature = "schema", schemars(extend("required" = ["prefix"])))]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct ApiKeysTable {
        /// What the keys begin with, before the first `_`: 2 to 32 lower-case letters, digits and `_`, a letter first. A credential that
        /// begins so is an API key, and nothing else.
        pub(in crate::config) prefix: Option<String>,
        /// What rules and logs call the issuer of the keys. Default: `api-keys`.
        pub(in crate::config) issuer: Option<String>,
        /// A secret of 32 characters or more that is not in the table: hashes are made under it, so that who can write to the table alone
        /// cannot make keys. Default: none.
        #[serde(deserialize_with = "values::secret")]
        pub(in crate::config) pepper: Option<String>,
        /// How long a key that was looked up is used, in seconds: 0 to 3600, and never beyond its expiry. One that is disabled meanwhile
        /// is still taken. Default: 60.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
        pub(in crate::config) lifetime_seconds: Option<u64>,
        /// How long it is remembered that a key is unknown, disabled or expired, in seconds: 0 to 300. Default: 10.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
        pub(in crate::config) negative_lifetime_seconds: Option<u64>,
        /// How many keys are remembered, good ones and others apart: 0 to 100000. Default: 256.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
        pub(in crate::config) entries: Option<u64>,
    }

    /// How names and passwords (RFC 7617) are checked that lie in the table of `[dynamodb]`.
    #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct BasicTable {
        /// What rules and logs call the issuer of the users. Default: `basic`.
        pub(in crate::config) issuer: Option<String>,
        /// How often the hash of a password is hashed again for a name that nobody has, so that it takes as long as for one that
        /// somebody has: 100000 to 2000000. It is also what `authorizer keys create-user` writes. Default: 600000.
        #[cfg_attr(feature = "schema", schemars(range(min = 100_000, max = 2_000_000)))]
        pub(in crate::config) iterations: Option<u64>,
        /// How long a name and its password are used without checking them again, in seconds: 0 to 3600, and never beyond the user's
        /// expiry. Default: 300.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
        pub(in crate::config) lifetime_seconds: Option<u64>,
        /// How long it is remembered that they do not belong together, or that the user is disabled or expired, in seconds: 0 to 300.
        /// Default: 10.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 300)))]
        pub(in crate::config) negative_lifetime_seconds: Option<u64>,
        /// After so many failures in a row a name is not checked for a while, in each process by itself: 1 to 100. Default: 5.
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
        pub(in crate::config) failures: Option<u64>,
        /// How long, from the latest failure on, in seconds: 1 to 3600. Default: 30.
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 3600)))]
        pub(in crate::config) pause_seconds: Option<u64>,
        /// How many are remembered, good ones and others apart, and of how many names failures are counted: 0 to 100000. Default: 256.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
        pub(in crate::config) entries: Option<u64>,
    }

    /// Whether credentials that hold are revoked, by the table of `[dynamodb]`.
    #[derive(Clone, Debug, Default, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(deny_unknown_fields, default)]
    pub(in crate::config) struct RevocationTable {
        /// How long what the table says is used, in seconds: 0 to 3600. It is the delay with which a revocation is heeded, beside API
        /// Gateway's own cache. Default: 60.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 3600)))]
        pub(in crate::config) lifetime_seconds: Option<u64>,
        /// How many things are known, of which a credential has four or so: 0 to 100000. Default: 1024.
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100_000)))]
        pub(in crate::config) entries: Option<u64>,
        /// What becomes of a credential that holds while the table cannot be asked. Default: `fault`.
        pub(in crate::config) on_outage: Option<OutageName>,
    }

    /// What becomes of a credential while the table cannot be asked.
    #[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    #[serde(rename_all = "snake_case")]
    pub(in crate::config) enum OutageName {
        /// Status 500: nothing is decided.
        Fault,
        /// It is let in, revoked or not, and each time there is a line in the log.
        Allow,
    }

    impl DynamoDbTable {
        /// The table of this name.
        pub(in crate::config) fn named(table: &str) -> Self {
            Self { table: Some(table.to_owned()), ..Self::default() }
        }
    }

    impl ApiKeysTable {
        /// Keys of this prefix.
        pub(in crate::config) fn with(prefix: Option<&str>) -> Self {
            Self { prefix: prefix.map(str::to_owned), ..Self::default() }
        }
    }
}

#[cfg(not(feature = "dynamodb"))]
mod sections {
    use serde::de::{Deserialize, Deserializer, IgnoredAny};

    pub(in crate::config) type DynamoDbTable = Unbuilt;
    pub(in crate::config) type ApiKeysTable = Unbuilt;
    pub(in crate::config) type BasicTable = Unbuilt;
    pub(in crate::config) type RevocationTable = Unbuilt;

    /// Something that the function was built without: it is not even read.
    #[derive(Clone, Debug, PartialEq)]
    #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
    pub(in crate::config) struct Unbuilt {}

    impl<'de> Deserialize<'de> for Unbuilt {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self {})
        }
    }

    impl Unbuilt {
        pub(in crate::config) fn named(_table: &str) -> Self {
            Self {}
        }

        pub(in crate::config) fn with(_prefix: Option<&str>) -> Self {
            Self {}
        }
    }
}

#[cfg(feature = "dynamodb")]
pub(in crate::config) use sections::OutageName;
pub(in crate::config) use sections::{ApiKeysTable, BasicTable, DynamoDbTable, RevocationTable};
