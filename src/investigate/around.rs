//! What a report says of a fault that is not the program's own: which neighbour, what to look at,
//! and that no patch is made; the same of a storm of faults. No repository is read for it. Not here: which faults these are
//! (`triage::environment`).

use super::Findings;
use crate::model::Incident;
use crate::triage::environment::Class;

/// The findings on an incident of kind `environment`.
pub fn around(incident: &Incident) -> Findings {
    let label = incident.watch.as_deref().unwrap_or_default();
    let name = label.split_once(':').map(|(_, name)| name);
    let name = name.filter(|name| *name != "?");
    let looks = Class::from_label(label).map_or(LOOK_AT_LINES, look_at);
    let subject = match name {
        Some(name) => format!("what is wrong is around it, at {name}"),
        None => "what is wrong is around it".to_owned(),
    };
    Findings {
        why: format!(
            "no patch is made, because this is not a fault of the program's code: {subject}. \
             Look at {looks}"
        ),
        ..Findings::default()
    }
}

/// The findings on the parent of a storm.
pub fn of_storm() -> Findings {
    Findings {
        why:
            "no patch is made for a storm: its faults are looked into one by one when it is over. \
              Look first at what they share: a deploy just before, a host, a database or another \
              neighbour"
                .to_owned(),
        ..Findings::default()
    }
}

const LOOK_AT_LINES: &str = "what the lines below name";

/// What a person on call looks at first.
const fn look_at(class: Class) -> &'static str {
    match class {
        Class::Dns => {
            "whether the name is written rightly in the configuration, whether it is registered, \
             and whether the resolver answers on this host"
        }
        Class::Connection | Class::Timeout => {
            "whether the neighbour runs and listens there, whether it was deployed or restarted \
             just then, and what stands between (firewall, network policy, load balancer, pool)"
        }
        Class::DiskFull => {
            "what fills the disk or its quota (df -h, df -i, logs, temporary files), and free or \
             add space"
        }
        Class::ReadOnly => {
            "why the file system takes no writes: how it is mounted, and whether the kernel made \
             it read-only after disk errors (dmesg)"
        }
        Class::Certificate => {
            "the certificate's dates, its chain and the names it holds (openssl s_client), the \
             trusted roots of this host, and its clock"
        }
        Class::Quota => {
            "the quota of the account, who else uses it up, and whether it was lowered or the \
             load grew"
        }
        Class::Permission => {
            "who the process runs as, the owner and mode of the path, or the role and policy that \
             the API checks"
        }
        Class::Files => {
            "the limit of open files (ulimit -n, LimitNOFILE), and what is open (ls /proc/PID/fd): \
             many of one kind are a leak, which is the program's"
        }
        Class::Memory => "what uses the host's memory, and the limits on processes and threads",
        Class::Port => "which other process has the port (ss -ltnp), often an earlier copy",
    }
}
