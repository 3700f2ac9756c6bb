//! The judge can judge: each step of the safe order, left out or done wrongly, is found out within a few hundred orders.

use super::*;
use crate::jenkins::write::NodeDeletion;
use crate::model::OfflineBy;

/// What a careless removal does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    NoMark,
    NoSecondReading,
    ReadsTwiceThenMarks,
    TogglesToMark,
    DeletesBusy,
    IgnoresLostMark,
    BringsBackUnseen,
    DoesNotSettle,
    KnowsMarksAlone,
    TrustsItsOwnMark,
}

/// The safe order in short, with one thing wrong.
fn careless(
    bug: Bug,
    client: &Client,
    request: &RemoveNode<'_>,
    pause: &dyn Fn(Duration),
) -> Result<Removed, JenkinsError> {
    let ended = |outcome| Ok(Removed { marked: false, outcome });
    let delete = || {
        Ok(match client.delete_node(request.name)? {
            NodeDeletion::Now => NodeRemoval::Deleted,
            NodeDeletion::Before => NodeRemoval::Gone,
        })
    };
    let Some(first) = client.node(request.name)? else {
        return ended(NodeRemoval::Gone);
    };
    if !first.is_idle() && bug != Bug::DeletesBusy {
        return ended(NodeRemoval::Busy);
    }
    let held = match first.offline_by() {
        OfflineBy::Removal => return ended(delete()?),
        _ if bug == Bug::NoMark => return ended(delete()?),
        // A disconnect is no mark.
        OfflineBy::Person if bug == Bug::KnowsMarksAlone => first.temporarily_offline,
        OfflineBy::Person | OfflineBy::Monitor | OfflineBy::Drain => true,
        OfflineBy::Nobody | OfflineBy::Connection => false,
    };
    if held {
        let reason = first.offline_reason;
        return ended(NodeRemoval::HeldByPerson { reason });
    }
    if bug == Bug::ReadsTwiceThenMarks && client.node(request.name)?.is_none_or(|node| !node.is_idle()) {
        return ended(NodeRemoval::Busy);
    }
    match bug {
        Bug::TogglesToMark => client.take_mark_back(request.name, request.mark)?,
        _ => client.mark_offline(request.name, request.mark)?,
    }
    if matches!(bug, Bug::NoSecondReading | Bug::ReadsTwiceThenMarks) {
        return ended(delete()?);
    }
    if !client.mark_waits() && bug != Bug::DoesNotSettle {
        pause(Duration::from_secs(1));
    }
    let Some(second) = client.node(request.name)? else {
        return ended(NodeRemoval::Gone);
    };
    if !second.offline_signs().is_mark(request.mark) && bug != Bug::IgnoresLostMark {
        return ended(NodeRemoval::MarkLost);
    }
    if first.connected && !second.connected && bug != Bug::TrustsItsOwnMark {
        client.take_mark_back(request.name, request.mark)?;
        return ended(NodeRemoval::Disconnected { still_marked: None });
    }
    if second.is_idle() || bug == Bug::DeletesBusy {
        return ended(delete()?);
    }
    let text = if bug == Bug::BringsBackUnseen { "" } else { request.mark };
    client.take_mark_back(request.name, text)?;
    ended(NodeRemoval::TurnedBusy { still_marked: None })
}

/// Tries orders until one goes wrong in the expected way.
fn wrong(bug: Bug, lifting: bool, expected: &str) -> Vec<String> {
    let remover =
        |client: &Client, request: &RemoveNode<'_>, pause: &dyn Fn(Duration)| careless(bug, client, request, pause);
    let seeds: Vec<u64> = match bug {
        // Only the oldest of the versions needs it.
        Bug::DoesNotSettle => (0..6000).filter(|seed| seed % 4 == 3).collect(),
        _ => (0..400).collect(),
    };
    let arena = Arena::new();
    let mut tally = Tally::default();
    for seed in seeds {
        arena.play(seed, lifting, &remover, &mut tally);
        if tally.wrong.last().is_some_and(|text| text.contains(expected)) {
            break;
        }
    }
    tally.wrong
}

#[test]
fn every_planted_bug_is_found_out() {
    for lifting in [false, true] {
        assert_eq!(wrong(Bug::None, lifting, ""), Vec::<String>::new());
    }
    for (bug, lifting, expected) in [
        (Bug::NoMark, false, "builds were killed"),
        (Bug::NoSecondReading, false, "builds were killed"),
        (Bug::ReadsTwiceThenMarks, false, "builds were killed"),
        (Bug::TogglesToMark, true, "a mark that we had not seen"),
        (Bug::DeletesBusy, false, "builds were killed"),
        (Bug::IgnoresLostMark, true, "builds were killed"),
        (Bug::BringsBackUnseen, true, "no later pass would know it"),
        (Bug::DoesNotSettle, false, "builds were killed"),
        (Bug::KnowsMarksAlone, false, "a person had disconnected"),
        (Bug::TrustsItsOwnMark, false, "a person had disconnected"),
    ] {
        let wrong = wrong(bug, lifting, expected);
        assert!(wrong.iter().any(|text| text.contains(expected)), "{bug:?}: {wrong:?}");
    }
}
