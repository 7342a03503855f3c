/** How `bms-gateway simulate` is called. */

export const SIMULATE_OPTIONS = {
  listen: { type: 'string', multiple: true },
  packs: { type: 'string' },
  sensors: { type: 'string' },
  chemistry: { type: 'string' },
  seed: { type: 'string' },
  load: { type: 'string' },
  'time-scale': { type: 'string' },
  capacity: { type: 'string' },
  fault: { type: 'string', multiple: true },
  interval: { type: 'string' },
} as const;

export const SIMULATE_HELP = `Usage: bms-gateway simulate --profile ID [--config FILE] --listen TARGET [options]
       bms-gateway simulate --config FILE --listen CONNECTION=TARGET [--listen …]

Batteries that do not exist, on wires that do: every device answers and broadcasts in the bytes of its profile
("bms-gateway profiles" lists them). With --config alone the packs on the file's virtual connections are served; with
--profile beside it a profile of your own, from the folder "profiles" beside that file, which need not be there yet.

TARGET, repeatable:
  CAN profiles     vcan0                    a CAN interface of the kernel, up at the bit rate of the profile
                   pty[:LINK]               a pseudo terminal with an slcan (LAWICEL) adapter behind it
                   slcan:/dev/ttyS0[:baud]  the same on a serial port (default 115200)
                   log:FILE, log:-          a log as candump -l writes it; - is standard output
  Modbus profiles  tcp://host[:port]        Modbus TCP (default port 502; 0: any free one, printed)
                   rtu://host:port          Modbus RTU frames over TCP, as behind a serial server
                   /dev/ttyS0[:baud]        Modbus RTU on a serial port, 8N1 (default 9600)
                   pty[:LINK]               Modbus RTU on a pseudo terminal
                   LINK is a path at which the terminal is to be found; pty needs the program socat.

  --packs N              how many, on addresses one after the other (default 1)
  --address N            address of the first (default: the profile's)
  --cells N, --sensors N of each pack (default: as many as the profile carries, at most 16 cells)
  --option NAME=VALUE    an option of the profile, repeatable
  --chemistry lfp|nmc    (default lfp)
  --capacity AH          of every cell (default 100)
  --seed N               same seed, same batteries (default 1)
  --load solar|drive     what the site does (default solar)
  --time-scale N         simulated seconds per second (default 1)
  --interval MS          new values this often (default 1000, or that of --config)
  --fault KIND:PACK[:CELL]  weak_cell, overheating, stuck_sensor or dead_unit, as weak_cell:pack-1:3; repeatable
  --seconds N            stop after this long (default: at Ctrl-C)
`;
