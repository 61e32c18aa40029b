//! The column families and their RocksDB options.

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, Env,
    LogLevel, LruCacheOptions, Options,
};

/// Storage's memory limits.
#[derive(Clone, Debug)]
pub struct StorageOptions {
    /// For unflushed rows of all families together.
    pub write_buffer_bytes: usize,
    /// For blocks that were read.
    pub cache_bytes: usize,
}

impl Default for StorageOptions {
    fn default() -> Self {
        Self {
            write_buffer_bytes: 48 << 20,
            cache_bytes: 32 << 20,
        }
    }
}

/// A column family.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Format number, applied position, commands without an event. RocksDB's default family.
    Meta,
    /// Definitions, and what belongs to them by name: published versions, aliases, tags; activities' queues.
    Workflows,
    Executions,
    /// Activities, branches, iterations, items and map runs, by execution.
    Activities,
    Tasks,
    /// By due time.
    Timers,
    /// Turns, by execution and first event.
    History,
    /// Lists of executions by name and status, newest first: by their starts, and in AWS's order.
    Visibility,
    Idempotency,
}

impl Family {
    pub const ALL: [Self; 9] = [
        Self::Meta,
        Self::Workflows,
        Self::Executions,
        Self::Activities,
        Self::Tasks,
        Self::Timers,
        Self::History,
        Self::Visibility,
        Self::Idempotency,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "default",
            Self::Workflows => "workflows",
            Self::Executions => "executions",
            Self::Activities => "activities",
            Self::Tasks => "tasks",
            Self::Timers => "timers",
            Self::History => "history",
            Self::Visibility => "visibility",
            Self::Idempotency => "idempotency",
        }
    }

    /// Whether rows are read by their whole key, so that a Bloom filter avoids useless reads.
    fn is_read_by_key(self) -> bool {
        matches!(self, Self::Executions | Self::Tasks | Self::Idempotency)
    }

    fn options(self, cache: &Cache, options: &StorageOptions) -> Options {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        table.set_format_version(6);
        if self.is_read_by_key() {
            table.set_bloom_filter(10.0, false);
        }
        let mut family = Options::default();
        family.set_block_based_table_factory(&table);
        family.set_compression_type(DBCompressionType::Lz4);
        family.set_level_compaction_dynamic_level_bytes(true);
        family.set_write_buffer_size(options.write_buffer_bytes);
        // Nine families share the write buffer: small blocks keep the rarely used ones small.
        family.set_arena_block_size(256 << 10);
        family.set_target_file_size_base(16 << 20);
        family.set_max_bytes_for_level_base(64 << 20);
        family
    }
}

/// A handle of each family, for one batch or read.
pub struct Families<'a>([&'a ColumnFamily; 9]);

impl<'a> Families<'a> {
    /// Every family's handle; `None` if a family is missing.
    pub fn of(db: &'a DB) -> Option<Self> {
        let mut handles = [db.cf_handle(Family::Meta.name())?; 9];
        for (handle, family) in handles.iter_mut().zip(Family::ALL) {
            *handle = db.cf_handle(family.name())?;
        }
        Some(Self(handles))
    }

    pub fn get(&self, family: Family) -> &'a ColumnFamily {
        self.0[family as usize]
    }
}

/// Few shards: RocksDB's own choice are shards of half a MiB, and the index of a file that is larger is read from the
/// disk for each scan.
const CACHE_SHARD_BITS: i32 = 2;

/// What RocksDB needs to open every family.
pub fn descriptors(options: &StorageOptions) -> Vec<ColumnFamilyDescriptor> {
    let mut shape = LruCacheOptions::default();
    shape.set_capacity(options.cache_bytes);
    shape.set_num_shard_bits(CACHE_SHARD_BITS);
    let cache = Cache::new_lru_cache_opts(&shape);
    Family::ALL
        .map(|family| ColumnFamilyDescriptor::new(family.name(), family.options(&cache, options)))
        .into()
}

/// The options of the database: one writer with little memory inside an application.
pub fn database(options: &StorageOptions, memory: Option<&Env>) -> Options {
    let mut database = Options::default();
    database.create_if_missing(true);
    database.create_missing_column_families(true);
    // Without a write-ahead log only an atomic flush of all families is a state that existed.
    database.set_atomic_flush(true);
    database.set_db_write_buffer_size(options.write_buffer_bytes);
    database.set_allow_concurrent_memtable_write(false);
    database.set_enable_write_thread_adaptive_yield(false);
    database.set_max_background_jobs(2);
    database.set_max_open_files(256);
    database.set_max_file_opening_threads(1);
    database.set_stats_dump_period_sec(0);
    database.set_stats_persist_period_sec(0);
    database.set_log_level(LogLevel::Warn);
    database.set_keep_log_file_num(2);
    database.set_max_log_file_size(1 << 20);
    database.set_bytes_per_sync(1 << 20);
    database.set_skip_stats_update_on_db_open(true);
    if let Some(env) = memory {
        database.set_env(env);
    }
    database
}
