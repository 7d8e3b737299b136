CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, available BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id BIGINT PRIMARY KEY,
    item TEXT NOT NULL,
    quantity BIGINT NOT NULL,
    cents BIGINT NOT NULL,
    packed BOOLEAN NOT NULL,
    mailed BOOLEAN NOT NULL
);
INSERT INTO stock VALUES ('teapot', 100000), ('unicorn', 0), ('yacht', 1)
ON CONFLICT (item) DO UPDATE SET available = excluded.available;
INSERT INTO orders VALUES
    (1, 'teapot', 2, 4800, FALSE, FALSE),
    (2, 'unicorn', 1, 9900, FALSE, FALSE),
    (3, 'yacht', 1, 250000000, FALSE, FALSE)
ON CONFLICT (id) DO UPDATE SET packed = FALSE, mailed = FALSE;
