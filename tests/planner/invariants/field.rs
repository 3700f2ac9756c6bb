//! Worlds with the faults of real sites, one switch each: agents under odd names, lists that lack servers or addresses,
//! persons, strangers, templates that fail alone, limits that are shared, labels that drift, deletions that do not happen.

use super::{calm, forgetful, rough, run};
use crate::sim::Faults;

/// An agent that works keeps its server under whatever name it joined, as long as an address or the id stands in it; an
/// idle one goes as any other.
#[test]
fn agents_join_under_any_name() {
    let names = |faults| Faults { names: 60, ..faults };
    run(6000..6003, names(calm()), 120);
    run(6010..6013, names(rough()), 120);
    run(6020..6023, names(forgetful()), 120);
}

/// The same where an agent lacks a label of its template from the beginning: an address alone holds its server.
#[test]
fn agents_join_with_fewer_labels() {
    let few = |faults| Faults {
        names: 60,
        few_labels: 30,
        ..faults
    };
    run(6100..6106, few(calm()), 120);
    run(6110..6114, few(rough()), 120);
}

/// The same where a person takes a label off a node while it works: a link once made is remembered.
#[test]
fn labels_are_taken_off_nodes() {
    let faults = Faults {
        names: 60,
        label_off: 3,
        ..calm()
    };
    run(6200..6206, faults, 120);
}

/// The same where the list lacks addresses for a while: a link once made is remembered.
#[test]
fn lists_lack_addresses() {
    let lacks = |faults| Faults {
        no_addresses: 4,
        ..faults
    };
    run(6300..6306, lacks(calm()), 120);
    let names = Faults {
        names: 60,
        ..lacks(rough())
    };
    run(6310..6316, names, 120);
}

/// A list that lacks servers is not believed: no maximum is passed, no node of a server that runs goes.
#[test]
fn lists_lack_servers() {
    let short = |faults| Faults {
        short_lists: 6,
        ..faults
    };
    run(6400..6405, short(calm()), 120);
    run(6410..6416, short(rough()), 120);
}

/// A node that vanishes from Jenkins' list and comes back within `offline_grace` keeps its server.
#[test]
fn nodes_vanish_for_a_moment() {
    let blink = |faults| Faults { blink: 2, ..faults };
    run(6500..6506, blink(calm()), 120);
    run(6510..6514, blink(rough()), 120);
}

/// A node that works and that Jenkins leaves out of its list keeps its server, however long.
#[test]
fn nodes_are_left_out_of_the_list() {
    let unlisted = |faults| Faults { unlisted: 2, ..faults };
    run(6520..6526, unlisted(calm()), 120);
    run(6530..6534, unlisted(rough()), 120);
}

/// An agent that joins while its server is about to go keeps it: the last look is by the link.
#[test]
fn agents_join_at_the_last_moment() {
    let late = Faults {
        late: 80,
        never_joins: 20,
        names: 60,
        ..calm()
    };
    run(6550..6556, late, 120);
}

/// What a person disconnects stays, whether the pass saw it or the removal does.
#[test]
fn persons_disconnect_nodes() {
    let cut = |faults| Faults {
        cut_by_person: 3,
        ..faults
    };
    run(6600..6606, cut(calm()), 120);
    run(6610..6614, cut(rough()), 120);
}

/// A template that fails alone holds back no other, and itself nowhere else.
#[test]
fn one_template_is_broken() {
    let faults = Faults {
        broken_template: true,
        ..calm()
    };
    run(6700..6710, faults, 120);
}

/// Nodes that are idle most of the time but never for `idle_grace` make room for a template that shares their limit.
#[test]
fn two_templates_share_a_limit() {
    let faults = Faults {
        shared_limit: true,
        ..calm()
    };
    run(6800..6806, faults, 120);
}

/// What a template promises and its nodes do not register is asked of another one, and keeps no node.
#[test]
fn labels_drift() {
    let faults = Faults { drift: true, ..calm() };
    run(6900..6906, faults, 120);
}

/// Items of which Jenkins says only for which node they wait are served, whatever the name of that node.
#[test]
fn jenkins_names_a_node_and_no_label() {
    let faults = Faults {
        pipelines: true,
        ..calm()
    };
    run(7000..7006, faults, 120);
}

/// `queue_grace` is measured by one clock.
#[test]
fn the_clock_of_jenkins_is_ahead() {
    let faults = Faults {
        clock_ahead: 3600,
        ..calm()
    };
    run(7100..7104, faults, 90);
}

/// Nodes of other networks at the addresses of our servers hold what looks absent and are never touched, nor are those
/// of another owner.
#[test]
fn strangers_are_left_alone() {
    let strangers = |faults| Faults {
        strangers: true,
        ..faults
    };
    run(7200..7203, strangers(calm()), 120);
    let never = Faults {
        never_joins: 30,
        ..strangers(rough())
    };
    run(7210..7215, never, 120);
}

/// The same where Jenkins tells no labels: an address alone links nothing.
#[test]
fn strangers_are_left_alone_by_an_old_jenkins() {
    let old = Faults {
        strangers: true,
        old_jenkins: true,
        ..calm()
    };
    run(7230..7236, old, 120);
}

/// Servers of another controller stay, also where templates adopt, unless they fail.
#[test]
fn another_controller_is_left_alone() {
    let other = |faults| Faults {
        other_controller: true,
        ..faults
    };
    run(7250..7254, other(calm()), 120);
    run(7260..7264, other(rough()), 120);
}

/// A DELETE that was accepted and does nothing is sent again in each pass.
#[test]
fn deletions_get_stuck() {
    let stuck = |faults| Faults { stuck: 30, ..faults };
    run(7300..7304, stuck(calm()), 120);
    run(7310..7314, stuck(rough()), 120);
}

/// A DELETE that only a gateway answered is sent again.
#[test]
fn gateways_answer_deletions() {
    let gateway = |faults| Faults { gateway: 40, ..faults };
    run(7400..7404, gateway(calm()), 120);
    run(7410..7414, gateway(rough()), 120);
}

/// All of it at once.
#[test]
fn everything_goes_wrong() {
    let faults = Faults {
        names: 40,
        no_addresses: 2,
        short_lists: 3,
        blink: 1,
        cut_by_person: 1,
        strangers: true,
        other_controller: true,
        stuck: 10,
        gateway: 10,
        ..rough()
    };
    run(7500..7506, faults, 120);
}
