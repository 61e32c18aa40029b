//! Variables.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use smallvec::SmallVec;

use super::ast::Symbol;
use super::charge::Charge;
use super::value::Value;

/// The variables of a block or of a call.
pub struct Frame {
    pub bindings: RefCell<SmallVec<[(Symbol, Value); 2]>>,
    parent: Option<Rc<Frame>>,
    /// Whether a function of the expression holds it.
    pub is_captured: Cell<bool>,
    _charge: Charge,
}

impl Frame {
    pub fn new(parent: Option<Rc<Frame>>) -> Rc<Frame> {
        Rc::new(Frame {
            bindings: RefCell::default(),
            parent,
            is_captured: Cell::new(false),
            _charge: Charge::new(160),
        })
    }

    pub fn bind(&self, name: Symbol, value: Value) {
        let mut bindings = self.bindings.borrow_mut();
        match bindings.iter_mut().find(|(known, _)| *known == name) {
            Some((_, bound)) => *bound = value,
            None => bindings.push((name, value)),
        }
    }

    pub fn lookup(&self, name: Symbol) -> Option<Value> {
        let mut frame = self;
        loop {
            let bindings = frame.bindings.borrow();
            if let Some((_, value)) = bindings.iter().find(|(known, _)| *known == name) {
                return Some(value.clone());
            }
            drop(bindings);
            frame = frame.parent.as_deref()?;
        }
    }
}

impl Drop for Frame {
    /// Frames one below the other go without a call for each.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut frame) = parent.and_then(Rc::into_inner) {
            parent = frame.parent.take();
        }
    }
}
