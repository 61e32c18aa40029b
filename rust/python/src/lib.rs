//! The Python binding of `stepwell-core` and `stepwell-query`: convert, release the GIL, map errors; no decisions.

use pyo3::prelude::*;

mod clock;
mod cluster;
mod errors;
mod folder;
mod followed;
mod ids;
mod json;
mod jsonata;
mod jsonata_values;
mod log;
mod options;
mod process;
mod regex;
mod store;
mod tcp;
mod tools;
mod values;

// A free-threaded Python turns its lock on when it imports this: no test has run there without it, and the engine's Python
// code counts on it.
#[pymodule(gil_used = true)]
mod _core {
    #[pymodule_export]
    use crate::clock::{Clock, Timestamp, parse_timestamp};
    #[pymodule_export]
    use crate::cluster::{Nats, PartitionCopy, pretend_record_format, stream_formats};
    #[pymodule_export]
    use crate::errors::{JsonataError, JsonataSyntaxError};
    #[pymodule_export]
    use crate::folder::{Folder, adopt_copy, new_store_id};
    #[pymodule_export]
    use crate::followed::FollowedLog;
    #[pymodule_export]
    use crate::ids::{
        Id, activity_id, branch_id, check_name, execution_id, hash7, iteration_id, parse_id,
        partition, partition_key, task_id,
    };
    #[pymodule_export]
    use crate::json::{json_compact, json_depth, json_size};
    #[pymodule_export]
    use crate::jsonata::{Jsonata, fix_jsonata};
    #[pymodule_export]
    use crate::log::{LogStream, MemoryLogStream};
    #[pymodule_export]
    use crate::regex::JavaRegex;
    #[pymodule_export]
    use crate::store::Store;
    #[pymodule_export]
    use crate::tcp::tcp_state;
    #[pymodule_export]
    use crate::tools::{
        LogDump, context_layouts, log_dump, log_repair, log_verify, record_layouts, split_turns,
    };
}
