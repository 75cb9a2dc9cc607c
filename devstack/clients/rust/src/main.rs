//! Uses a database through the libsql crate in one of its modes, and prints the version
//! and what it saw: remote, replica (reads are local, writes are not) or synced (writes
//! are local and pushed).
use libsql::{params, Builder, Database};

async fn open(mode: &str, url: String, token: String, path: String) -> libsql::Result<Database> {
    match mode {
        "remote" => Builder::new_remote(url, token).build().await,
        "replica" => Builder::new_remote_replica(path, url, token).build().await,
        _ => Builder::new_synced_database(path, url, token).remote_writes(false).build().await,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let (mode, path) = (args[1].as_str(), args[2].clone());
    let db = open(mode, std::env::var("DB_URL")?, std::env::var("DB_TOKEN")?, path).await?;
    if mode == "synced" {
        db.sync().await?;
    }
    let conn = db.connect()?;
    let table = format!("rust_{mode}_{}", std::env::var("DB_TABLE")?);
    conn.execute(&format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY, a TEXT, b BLOB)"), ()).await?;
    conn.execute(&format!("INSERT INTO {table} (a, b) VALUES (?1, ?2)"), params!["x", vec![0u8, 255]]).await?;
    let tx = conn.transaction().await?;
    tx.execute(&format!("INSERT INTO {table} (a) VALUES ('y')"), ()).await?;
    tx.commit().await?;
    if mode != "remote" {
        db.sync().await?;
    }
    let mut rows = conn.query(&format!("SELECT count(*), max(a), max(hex(b)) FROM {table}"), ()).await?;
    let row = rows.next().await?.ok_or("no row")?;
    println!("{} {} {}", row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<String>(2)?);
    let failure = conn.execute(&format!("INSERT INTO {table} (id) VALUES (1)"), ()).await.err().map(|e| e.to_string());
    println!("{}", failure.unwrap_or_default().contains("UNIQUE constraint failed"));
    Ok(())
}
