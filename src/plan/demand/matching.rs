//! Matches waiting items to slots: a maximum matching that serves older items first.
//!
//! Items that the same groups of slots serve form a class, and the slots of one group are alike, so the matching is a flow
//! from classes to groups: its size does not grow with the queue.

/// A flow from classes to groups of slots.
pub struct Flow<'d> {
    /// For each class the groups that serve it, first choice first.
    classes: &'d [Vec<usize>],
    /// For each group the classes that it serves, each with the place of the group in the class.
    served: Vec<Vec<(usize, usize)>>,
    /// For each group, its slots.
    capacity: Vec<u32>,
    /// For each group, how many of its slots are used.
    load: Vec<u32>,
    /// For each class, how many items of it each of its groups serves.
    items: Vec<Vec<u32>>,
    /// For each class, the first of its groups that may have a slot left.
    next: Vec<usize>,
    /// Classes of which an item failed: every later one fails, too.
    failed: Vec<bool>,
    /// For each group, the number of slots whose withdrawal failed once; larger ones fail, too.
    held: Vec<Option<u32>>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// There was a slot.
    Matched,
    /// A slot was opened for it in this group.
    Opened(usize),
    /// There was none, and there will be none for its class.
    Failed,
}

/// How a group was reached in the search for a slot: by moving an item of `class` away from its group at `from`. The
/// group that was reached is the class's `to`.
#[derive(Clone, Copy)]
struct Step {
    class: usize,
    to: usize,
    from: Option<usize>,
}

impl<'d> Flow<'d> {
    /// Starts with nothing matched.
    pub fn new(classes: &'d [Vec<usize>], capacity: Vec<u32>) -> Self {
        let groups = capacity.len();
        let mut served = vec![Vec::new(); groups];
        for (class, members) in classes.iter().enumerate() {
            for (place, &group) in members.iter().enumerate() {
                served[group].push((class, place));
            }
        }
        Self {
            classes,
            served,
            load: vec![0; groups],
            items: classes.iter().map(|members| vec![0; members.len()]).collect(),
            next: vec![0; classes.len()],
            failed: vec![false; classes.len()],
            held: vec![None; groups],
            capacity,
        }
    }

    /// Returns the groups that serve items of a class, and how many each of them serves.
    pub fn groups_of(&self, class: usize) -> impl Iterator<Item = (usize, u32)> {
        let groups = self.classes[class].iter().copied();
        groups.zip(self.items[class].iter().copied())
    }

    /// Serves one more item of a class. Where there is no slot, `open` is asked for new slots of a group; what it
    /// refuses once, it must refuse ever after.
    pub fn place(&mut self, class: usize, mut open: impl FnMut(usize) -> Option<u32>) -> Placed {
        if self.failed[class] {
            return Placed::Failed;
        }
        let members = &self.classes[class];
        while let Some(&group) = members.get(self.next[class]) {
            if self.load[group] < self.capacity[group] {
                self.items[class][self.next[class]] += 1;
                self.load[group] += 1;
                return Placed::Matched;
            }
            self.next[class] += 1;
        }
        let (found, reached, steps) = self.search(Some(class), None);
        if let Some(group) = found {
            self.augment(group, &steps);
            return Placed::Matched;
        }
        for group in reached {
            if let Some(slots) = open(group) {
                self.capacity[group] = self.capacity[group].saturating_add(slots);
                self.next.fill(0);
                self.augment(group, &steps);
                return Placed::Opened(group);
            }
        }
        self.failed[class] = true;
        Placed::Failed
    }

    /// Takes slots of a group away if every item that is served now can still be served; says whether it did.
    pub fn withdraw(&mut self, group: usize, slots: u32) -> bool {
        if self.held[group].is_some_and(|least| slots >= least) || slots > self.capacity[group] {
            return false;
        }
        self.capacity[group] -= slots;
        while self.load[group] > self.capacity[group] {
            let (found, _, steps) = self.search(None, Some(group));
            let Some(target) = found else {
                self.capacity[group] += slots;
                self.held[group] = Some(slots);
                return false;
            };
            self.load[group] -= 1;
            self.augment(target, &steps);
        }
        true
    }

    /// Counts how many of these nodes, each a group and its slots, could be withdrawn one after the other, and withdraws
    /// none of them.
    pub fn count_spare(&mut self, nodes: impl Iterator<Item = (usize, u32)>) -> usize {
        // What could not go beside these may go without them.
        let held = self.held.clone();
        let spare: Vec<(usize, u32)> = nodes.filter(|&(group, slots)| self.withdraw(group, slots)).collect();
        for &(group, slots) in &spare {
            self.capacity[group] += slots;
        }
        self.held = held;
        spare.len()
    }

    /// Looks for the nearest group with a slot, from a class or from a full group; returns it, the full groups in the
    /// order in which they were reached, and the way to each.
    fn search(&self, class: Option<usize>, from: Option<usize>) -> (Option<usize>, Vec<usize>, Vec<Option<Step>>) {
        let mut steps: Vec<Option<Step>> = vec![None; self.capacity.len()];
        let mut expanded = vec![false; self.classes.len()];
        let mut reached = Vec::new();
        if let Some(class) = class {
            expanded[class] = true;
            for (to, &group) in self.classes[class].iter().enumerate() {
                steps[group] = Some(Step { class, to, from: None });
                reached.push(group);
            }
        }
        let mut next = 0;
        let mut full = from.or_else(|| reached.first().copied());
        while let Some(group) = full {
            for &(class, place) in &self.served[group] {
                if expanded[class] || self.items[class][place] == 0 {
                    continue;
                }
                expanded[class] = true;
                for (to, &other) in self.classes[class].iter().enumerate() {
                    if Some(other) == from || steps[other].is_some() {
                        continue;
                    }
                    let from = Some(place);
                    steps[other] = Some(Step { class, to, from });
                    if self.load[other] < self.capacity[other] {
                        return (Some(other), reached, steps);
                    }
                    reached.push(other);
                }
            }
            if class.is_some() || Some(group) != from {
                next += 1;
            }
            full = reached.get(next).copied();
        }
        (None, reached, steps)
    }

    /// Moves items along the way to a group, which serves one more at the end.
    fn augment(&mut self, target: usize, steps: &[Option<Step>]) {
        self.load[target] += 1;
        let mut group = target;
        while let Some(step) = steps[group] {
            self.items[step.class][step.to] += 1;
            let Some(from) = step.from else { return };
            self.items[step.class][from] -= 1;
            group = self.classes[step.class][from];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The textbook matching, item by item and slot by slot.
    fn textbook(items: &[&[usize]], capacity: &[u32]) -> Vec<bool> {
        let mut slots: Vec<(usize, Option<usize>)> = Vec::new();
        for (template, count) in capacity.iter().enumerate() {
            slots.extend((0..*count).map(|_| (template, None)));
        }
        (0..items.len())
            .map(|item| place(item, items, &mut slots, &mut BTreeSet::new()))
            .collect()
    }

    fn place(
        item: usize,
        items: &[&[usize]],
        slots: &mut [(usize, Option<usize>)],
        seen: &mut BTreeSet<usize>,
    ) -> bool {
        for slot in 0..slots.len() {
            if !items[item].contains(&slots[slot].0) || !seen.insert(slot) {
                continue;
            }
            if slots[slot].1.is_none_or(|other| place(other, items, slots, seen)) {
                slots[slot].1 = Some(item);
                return true;
            }
        }
        false
    }

    fn worlds() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<u32>, Vec<usize>)> {
        let class = proptest::sample::subsequence((0..5_usize).collect::<Vec<_>>(), 1..=5).prop_shuffle();
        let classes = prop::collection::vec(class, 1..6);
        let capacity = prop::collection::vec(0..4_u32, 5);
        (classes, capacity, prop::collection::vec(0..6_usize, 0..20))
    }

    proptest! {
        #[test]
        fn it_serves_whom_the_textbook_serves((classes, capacity, order) in worlds()) {
            let order: Vec<usize> = order.into_iter().map(|class| class % classes.len()).collect();
            let items: Vec<&[usize]> = order.iter().map(|&class| classes[class].as_slice()).collect();
            let mut flow = Flow::new(&classes, capacity.clone());
            let served: Vec<bool> = order.iter().map(|&class| flow.place(class, |_| None) == Placed::Matched).collect();
            prop_assert_eq!(&served, &textbook(&items, &capacity));

            // A slot goes if and only if nobody loses by it. Counting those that could go changes nothing.
            let all = |group: usize| (0..capacity[group]).map(move |_| (group, 1));
            let spare: Vec<usize> = (0..5).map(|group| flow.count_spare(all(group))).collect();
            prop_assert_eq!(&spare, &(0..5).map(|group| flow.count_spare(all(group))).collect::<Vec<_>>());
            for (group, &spare) in spare.iter().enumerate() {
                let mut less = capacity.clone();
                less[group] -= u32::try_from(spare).unwrap();
                prop_assert_eq!(&textbook(&items, &less), &served, "{} of {}", spare, group);
                if let Some(one_less) = less[group].checked_sub(1) {
                    less[group] = one_less;
                    prop_assert_ne!(&textbook(&items, &less), &served, "more than {} of {}", spare, group);
                }
            }
            let mut left = capacity;
            for template in [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] {
                let mut less = left.clone();
                let Some(one_less) = less[template].checked_sub(1) else { continue };
                less[template] = one_less;
                let spared = textbook(&items, &less) == served;
                prop_assert_eq!(flow.withdraw(template, 1), spared, "a slot of {}", template);
                if spared {
                    left = less;
                }
            }
        }

        #[test]
        fn opening_slots_serves_all_it_can((classes, capacity, order) in worlds(), limits in prop::collection::vec(0..3_u32, 5)) {
            let order: Vec<usize> = order.into_iter().map(|class| class % classes.len()).collect();
            let mut flow = Flow::new(&classes, capacity.clone());
            let mut opened = vec![0_u32; 5];
            let mut served = Vec::new();
            for &class in &order {
                let placed = flow.place(class, |template| (opened[template] < limits[template]).then_some(2));
                if let Placed::Opened(template) = placed {
                    opened[template] += 1;
                }
                served.push(placed != Placed::Failed);
            }
            // Asked again with what is open now, nobody wants more: a second pass on the same world stands still.
            let total: Vec<u32> = capacity.iter().zip(&opened).map(|(have, new)| have + 2 * new).collect();
            let items: Vec<&[usize]> = order.iter().map(|&class| classes[class].as_slice()).collect();
            prop_assert_eq!(served, textbook(&items, &total));
        }
    }
}
