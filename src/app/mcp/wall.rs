//! Which services an agent may see: those that its server was started for, of one owner. What stands
//! behind the wall is told apart from what there is not by nothing.

use crate::app::Error;
use crate::model::Settings;
use crate::model::recovery::Policy;
use std::collections::BTreeSet;

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// Names; empty: every service of the owner.
    pub services: Vec<String>,
    /// Whose; empty: those without an owner.
    pub owner: Option<String>,
}

/// The wall, as it stands from the start of the server to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wall {
    services: Vec<String>,
    owner: Option<String>,
}

impl Wall {
    /// The wall around what is named. Of several owners one is seen.
    ///
    /// # Errors
    /// Where a name is unknown, or it is not said whose services are meant.
    pub(super) fn new(within: &Within, all: &[Settings]) -> Result<Wall, Error> {
        for name in &within.services {
            if !all.iter().any(|one| one.service == *name) {
                return Err(Error::Usage(format!(
                    "--service {}: the state folder knows no such service; it knows those of the \
                     registry once Fluent Bit has loaded it",
                    name.escape_debug()
                )));
            }
        }
        let named =
            |one: &&Settings| within.services.is_empty() || within.services.contains(&one.service);
        let owners: BTreeSet<&str> = all.iter().filter(named).map(owner).collect();
        let owner = match &within.owner {
            Some(owner) if owners.contains(owner.as_str()) => owner.as_str(),
            Some(owner) => {
                return Err(Error::Usage(format!(
                    "--owner {}: none of the services is of that owner",
                    owner.escape_debug()
                )));
            }
            None if owners.len() > 1 => {
                let owners = owners.iter().map(|owner| match *owner {
                    "" => "\"\" (without an owner)".to_owned(),
                    owner => owner.escape_debug().to_string(),
                });
                return Err(Error::Usage(format!(
                    "the services have several owners, and an agent sees those of one: name it with \
                     --owner: {}",
                    owners.collect::<Vec<_>>().join(", ")
                )));
            }
            None => match owners.first() {
                Some(owner) => owner,
                None => {
                    return Err(Error::Usage(
                        "the state folder knows no service yet; it knows those of the registry once \
                         Fluent Bit has loaded it"
                            .to_owned(),
                    ));
                }
            },
        };
        Ok(Wall {
            services: within.services.clone(),
            owner: Some(owner.to_owned()).filter(|owner| !owner.is_empty()),
        })
    }

    pub(super) fn shows(&self, settings: &Settings) -> bool {
        let named = self.services.is_empty() || self.services.contains(&settings.service);
        named && owner(settings) == self.owner.as_deref().unwrap_or_default()
    }
}

fn owner(settings: &Settings) -> &str {
    settings.owner.as_deref().unwrap_or_default()
}

/// What may be done to a service.
pub(super) fn policy(settings: &Settings) -> Option<&Policy> {
    settings.recovery.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, owner: &str) -> Settings {
        Settings {
            service: name.to_owned(),
            owner: Some(owner.to_owned()).filter(|owner| !owner.is_empty()),
            ..Settings::default()
        }
    }

    fn within(services: &[&str], owner: Option<&str>) -> Within {
        Within {
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            owner: owner.map(str::to_owned),
        }
    }

    #[test]
    fn of_several_owners_one_is_named_and_seen() {
        let all = [
            service("cart", "shop"),
            service("pay", "shop"),
            service("blog", "press"),
            service("cron", ""),
        ];
        let seen = |within: &Within| {
            Wall::new(within, &all).map(|wall| {
                let seen = all.iter().filter(|one| wall.shows(one));
                seen.map(|one| one.service.clone()).collect::<Vec<_>>()
            })
        };
        for refused in [
            within(&[], None),
            within(&["cart", "blog"], None),
            within(&["gone"], None),
            within(&[], Some("nobody")),
            within(&["cart"], Some("press")),
        ] {
            let fault = seen(&refused).unwrap_err();
            assert!(matches!(fault, Error::Usage(_)), "{refused:?}: {fault}");
        }
        assert_eq!(seen(&within(&[], Some("shop"))).unwrap(), ["cart", "pay"]);
        assert_eq!(seen(&within(&["pay"], None)).unwrap(), ["pay"]);
        assert_eq!(seen(&within(&[], Some(""))).unwrap(), ["cron"]);
        assert_eq!(
            seen(&within(&["cart", "blog"], Some("shop"))).unwrap(),
            ["cart"]
        );
    }

    #[test]
    fn one_owner_need_not_be_named_and_none_joins_later() {
        let all = [service("cart", "shop"), service("pay", "shop")];
        let wall = Wall::new(&Within::default(), &all).unwrap();
        assert!(all.iter().all(|one| wall.shows(one)));
        assert!(!wall.shows(&service("blog", "press")));
        assert!(!wall.shows(&service("cart", "press")));
        assert!(Wall::new(&Within::default(), &[]).is_err());
    }
}
