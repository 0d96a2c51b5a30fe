/** What the values of `values.ts` are made of. */

export const WORDS =
  'orders billing payments users sessions invoices catalog cart search mail reports audit metrics events backup archive images media frontend gateway checkout ' +
  'inventory shipping pricing auth profile notifications analytics export import scheduler worker ledger customers products reviews';
export const FIRST =
  'alice bob carol dave eve frank grace heidi ivan judy mallory niaj olivia peggy rupert sybil trent victor walter wendy';
export const LAST = 'smith jones miller garcia schmidt novak rossi kim tanaka silva dubois larsen okafor';
export const TEXT =
  'weekly report for the board;Living Room;hello everyone;Kitchen speaker;My Documents;add index on created_at;nightly build;anyone want to trade?;Release notes;' +
  'Photos 2024;quota exceeded for user;thanks!;Bedroom lamp (left);the quick brown fox;create user table;lol;where is the portal;Integration Tests;Deploy to staging;' +
  'invalid literal for int() with base 10;team calendar;Music;drop unused columns v2;brb dinner;Camera Upload;unregistered torrent;main branch';
export const CITIES = 'Berlin;New York;Paris;São Paulo;Tokyo;Oslo;Los Angeles;Rome;Lagos;Bad Homburg';
export const TOP = 'com org net io de';
export const PARAMETERS = 'id q page sort limit lang ref v';
export const EXTENSIONS = 'conf log json yaml db sock tmp html txt jpg pdf tar.gz';
export const FOLDERS = 'etc var usr opt srv home data tmp run lib log cache www share spool local app';
export const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
  'curl/8.5.0',
  'Go-http-client/1.1',
  'python-requests/2.31.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1',
  'kube-probe/1.29',
  '-',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
];
export const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec';
export const PACKAGES = 'order payment user web config service repository client';
export const CLASSES =
  'OrderService PaymentClient UserRepository CacheManager HealthCheck TokenFilter MailSender ReportJob SearchIndex';
export const EXCEPTIONS =
  'java.net.SocketTimeoutException;java.lang.NullPointerException;java.lang.IllegalStateException;com.acme.order.OrderNotFoundException;org.postgresql.util.PSQLException';
export const APPS =
  'psql;pgAdmin 4 - DB:orders;billing-worker;Rails Console;DBeaver 23.2.0 - Main;node_exporter;celery@worker1';
export const SSIDS =
  'HomeNet;eduroam;CoffeeShop Guest;Wired connection 1;docker0;FRITZ!Box 7590 AB;iPhone von Anna;virbr0;Company VPN';
export const DEVICES =
  'Living Room Lamp;Logitech USB Receiver;front_door;Hue bridge;iPhone;Thermostat;NAS;AT Translated Set 2 keyboard;Kitchen Sensor 2;Good night;laptop-anna;Power Button';
export const UNITS =
  'Session 12 of User alice;Network Manager;OpenSSH Daemon;Daily apt download activities;Docker Application Container Engine;/boot/efi;Local File Systems;User Login Management;' +
  'Rotate log files;PostgreSQL Cluster 15-main;D-Bus System Message Bus;Network is Online;Cleanup of Temporary Directories;GNOME Display Manager;CUPS Scheduler;Timers';
export const UNIT_FILES =
  'nginx.service session-12.scope user@1000.service apt-daily.timer docker.service postgresql@15-main.service logrotate.service cron.service run-user-1000.mount';
export const QUERIES =
  'SELECT * FROM orders WHERE id = $1;UPDATE users SET last_login = now() WHERE id = 4711;INSERT INTO events (kind, payload) VALUES ($1, $2);BEGIN;COMMIT;' +
  'select count(*) from sessions where expires_at < now();DELETE FROM carts WHERE updated_at < $1;SELECT p.name, sum(i.qty) FROM products p JOIN items i USING (id) GROUP BY 1';
export const EXPRESSIONS =
  'up == 0;rate(http_requests_total[5m]);sum by (job) (rate(errors_total[1m])) > 0.5;node_load1;absent(up)';
export const TORRENTS =
  'ubuntu-22.04.3-desktop-amd64.iso;debian-12.4.0-amd64-netinst.iso;Big Buck Bunny (2008);archlinux-2024.01.01-x86_64.iso;Sintel';
export const STORED =
  'Photos/2023/IMG 1207.jpg;notes.md;Documents/Tax 2022.pdf;Music/01 - Intro.flac;src/main.go;.stfolder';
export const COMMANDS = 'tp home spawn gamemode give time weather msg';
export const DISTINGUISHED =
  'uid=alice,ou=people,dc=example,dc=org;cn=admin,dc=example,dc=org;cn=Web Services,ou=groups,dc=example,dc=org;;uid=bob,ou=people,dc=example,dc=org;ou=hosts,dc=example,dc=org';
export const FILTERS =
  '(uid=alice);(&(objectClass=posixAccount)(uid=bob));(objectClass=*);(&(objectClass=posixGroup)(memberUid=carol));(mail=dave@example.com)';
export const CHECKS =
  'DISK OK - free space: / 3326 MB (56% inode=72%):;OK - load average: 0.42, 0.38, 0.31;CRITICAL - Socket timeout after 10 seconds;HTTP OK: HTTP/1.1 200 OK - 1256 bytes in 0.012 second response time;' +
  'PROCS WARNING: 312 processes;(Service check timed out after 60.01 seconds);SSH OK - OpenSSH_9.2p1 (protocol 2.0);connect to address 10.0.0.7 and port 5666: Connection refused';
export const SERVICES = 'HTTP;PING;Disk /;SSH;Current Load;Total Processes;MySQL;Swap Usage;Certificate';
export const CIPHERS = 'TLS_AES_256_GCM_SHA384 ECDHE-RSA-AES256-GCM-SHA384 TLS_CHACHA20_POLY1305_SHA256';
