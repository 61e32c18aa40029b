//! Where each parent operator (`%`) leads.

use super::ast::{Extra, Kind, Node, SlotId};
use super::error::{Answer, Fault};
use super::meaning::Meaning;

impl Meaning {
    /// Finds the step that a parent operator means, from the innermost out.
    pub(super) fn seek_parent(&mut self, node: &mut Node, slot: SlotId) -> Answer<()> {
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                self.slots[slot].level -= 1;
                if self.slots[slot].level == 0 {
                    let extra = node.extra.get_or_insert_default();
                    if let Some(ancestor) = extra.ancestor {
                        self.slots[slot].label = self.slots[ancestor].label;
                    }
                    (extra.ancestor, extra.is_tuple) = (Some(slot), true);
                }
            }
            Kind::Parent(_) => self.slots[slot].level += 1,
            Kind::Block(expressions) => {
                if let Some(last) = expressions.last_mut() {
                    node.extra.get_or_insert_default().is_tuple = true;
                    self.seek_parent(last, slot)?;
                }
            }
            Kind::Path { steps, .. } => {
                node.extra.get_or_insert_default().is_tuple = true;
                let mut at = steps.len() - 1;
                self.seek_parent(&mut steps[at], slot)?;
                while self.slots[slot].level > 0 && at > 0 {
                    at -= 1;
                    self.seek_parent(&mut steps[at], slot)?;
                }
            }
            _ => return Err(Fault::new("S0217")),
        }
        Ok(())
    }

    pub(super) fn resolve_ancestry(&mut self, path: &mut Node) -> Answer<()> {
        let Kind::Path { steps, .. } = &mut path.kind else {
            return Ok(());
        };
        let last = steps.len() - 1;
        let mut slots = steps[last].seeking().cloned().unwrap_or_default();
        if let Kind::Parent(slot) = steps[last].kind {
            slots.push(slot);
        }
        for slot in slots {
            let mut at = last;
            while self.slots[slot].level > 0 {
                if at == 0 {
                    path.extra
                        .get_or_insert_default()
                        .seeking
                        .get_or_insert_default()
                        .push(slot);
                    break;
                }
                at -= 1;
                let mut step = at;
                while at > 0 && steps[step].focus().is_some() && steps[at - 1].focus().is_some() {
                    at -= 1;
                    step = at;
                }
                self.seek_parent(&mut steps[step], slot)?;
            }
        }
        Ok(())
    }
}

pub fn sought(mut node: Node, seeking: Option<Vec<SlotId>>) -> Node {
    if seeking.is_some() {
        node.extra = Some(Box::new(Extra {
            seeking,
            ..Extra::default()
        }));
    }
    node
}

pub fn push_ancestry(seeking: &mut Option<Vec<SlotId>>, value: &Node) {
    let mut slots = value.seeking().cloned();
    if let Kind::Parent(slot) = value.kind {
        slots.get_or_insert_default().push(slot);
    }
    if let Some(slots) = slots {
        seeking.get_or_insert_default().extend(slots);
    }
}
