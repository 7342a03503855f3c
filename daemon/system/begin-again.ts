/** The program starts again, as the same process; where the system knows no such thing (Windows) it just ends. */
export function beginAgain(): void {
  const { execPath, execArgv, argv, env } = process;
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)], env);
}
