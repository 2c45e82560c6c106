//! A Deployment behind the trait of platforms: against a played API server that keeps state, and held
//! against what the real `kubectl` does to the same objects.

#[path = "recover_kubernetes/changes.rs"]
mod changes;
#[path = "recover_kubernetes/faults.rs"]
mod faults;
#[path = "recover_kubernetes/follow.rs"]
mod follow;
#[path = "played/host/mod.rs"]
mod host;
#[path = "recover_kubernetes/hostile.rs"]
mod hostile;
#[path = "recover_kubernetes/kubectl.rs"]
mod kubectl;
#[path = "played/kubernetes/mod.rs"]
mod played_kubernetes;
#[path = "recover_kubernetes/shown.rs"]
mod shown;
#[path = "recover_kubernetes/world.rs"]
mod world;
