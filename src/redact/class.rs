//! What kinds of text are replaced, and how each is called in its placeholder.

use serde::Serialize;

/// What a replaced value was. Where rules overlap, the one that stands first here names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    PrivateKey,
    AwsKey,
    AzureKey,
    GoogleKey,
    GithubToken,
    GitlabToken,
    SlackToken,
    StripeKey,
    /// A token in the format of some other issuer.
    ApiKey,
    /// An address that is itself the permission.
    Webhook,
    Jwt,
    Authorization,
    Cookie,
    Session,
    Password,
    Token,
    Secret,
    Card,
    Iban,
    NationalId,
    Email,
    Phone,
    Ip,
    /// By a pattern of the service.
    Custom,
}

impl Class {
    pub const ALL: [Class; 24] = [
        Class::PrivateKey,
        Class::AwsKey,
        Class::AzureKey,
        Class::GoogleKey,
        Class::GithubToken,
        Class::GitlabToken,
        Class::SlackToken,
        Class::StripeKey,
        Class::ApiKey,
        Class::Webhook,
        Class::Jwt,
        Class::Authorization,
        Class::Cookie,
        Class::Session,
        Class::Password,
        Class::Token,
        Class::Secret,
        Class::Card,
        Class::Iban,
        Class::NationalId,
        Class::Email,
        Class::Phone,
        Class::Ip,
        Class::Custom,
    ];

    /// As it stands in a placeholder.
    pub const fn word(self) -> &'static str {
        match self {
            Class::PrivateKey => "private-key",
            Class::AwsKey => "aws-key",
            Class::AzureKey => "azure-key",
            Class::GoogleKey => "google-key",
            Class::GithubToken => "github-token",
            Class::GitlabToken => "gitlab-token",
            Class::SlackToken => "slack-token",
            Class::StripeKey => "stripe-key",
            Class::ApiKey => "api-key",
            Class::Webhook => "webhook",
            Class::Jwt => "jwt",
            Class::Authorization => "authorization",
            Class::Cookie => "cookie",
            Class::Session => "session",
            Class::Password => "password",
            Class::Token => "token",
            Class::Secret => "secret",
            Class::Card => "card",
            Class::Iban => "iban",
            Class::NationalId => "national-id",
            Class::Email => "email",
            Class::Phone => "phone",
            Class::Ip => "ip",
            Class::Custom => "custom",
        }
    }
}
