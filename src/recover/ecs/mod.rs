//! Amazon ECS over its HTTP API: one service in one cluster. What ECS answers is read strictly
//! (`shapes.rs`) and becomes a state (`show.rs`); a change is checked once more right before it is
//! sent (`change.rs`), and how far it is, is judged from what ECS shows (`progress.rs`). Keys are
//! handed in; who may change what, and when, is decided elsewhere.

mod place;
mod shapes;
mod wire;

use crate::model::recovery;
use crate::net::{Http, aws};
use crate::recover::Error;
use place::Place;

/// A service of ECS.
pub struct Ecs {
    http: Http,
    place: Place,
    keys: aws::Provider,
    /// The id of the task that autofix itself runs in.
    own: Option<String>,
}

impl Ecs {
    /// `own`: the ARN of the task that autofix itself runs in, where it runs in one.
    ///
    /// # Errors
    /// `Settings`, with the name of the key, when the place cannot be one.
    pub fn new(
        http: Http,
        place: &recovery::Place,
        keys: aws::Provider,
        own: Option<String>,
    ) -> Result<Ecs, Error> {
        Ok(Ecs {
            http,
            place: Place::of(place)?,
            keys,
            // Ids are unlike each other everywhere; ARNs of one task may have two forms.
            own: own.map(|arn| shapes::last_part(&arn).to_owned()),
        })
    }
}
