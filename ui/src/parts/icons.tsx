/** The icons, drawn for 24 px. Shapes differ, so that no meaning hangs on colour alone. */
import type { ComponentChildren } from 'preact';

const SHAPES = {
  fleet: (
    <>
      <rect x="3" y="4" width="7.5" height="7" rx="1.5" />
      <rect x="13.5" y="4" width="7.5" height="7" rx="1.5" />
      <rect x="3" y="14" width="7.5" height="7" rx="1.5" />
      <rect x="13.5" y="14" width="7.5" height="7" rx="1.5" />
    </>
  ),
  bell: (
    <>
      <path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15z" />
      <path d="M10 21.2h4" />
    </>
  ),
  system: (
    <>
      <rect x="3" y="4" width="18" height="6.5" rx="1.5" />
      <rect x="3" y="13.5" width="18" height="6.5" rx="1.5" />
      <path d="M7 7.25h.01M7 16.75h.01M11 7.25h6M11 16.75h6" />
    </>
  ),
  person: (
    <>
      <circle cx="12" cy="8" r="4" />
      <path d="M4.5 20.5a7.5 7.5 0 0 1 15 0" />
    </>
  ),
  check: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="m8 12.3 2.8 2.8L16.2 9.5" />
    </>
  ),
  triangle: (
    <>
      <path d="M12 3.8 21.5 20h-19z" />
      <path d="M12 10v4.6M12 17.3h.01" />
    </>
  ),
  octagon: (
    <>
      <path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z" />
      <path d="M12 7.5v5.5M12 16.4h.01" />
    </>
  ),
  info: (
    <>
      <rect x="3.5" y="3.5" width="17" height="17" rx="3" />
      <path d="M12 11.2v5M12 7.7h.01" />
    </>
  ),
  offline: (
    <>
      <path d="M8.5 8.5 5.8 11.2a4.2 4.2 0 0 0 0 6 4.2 4.2 0 0 0 6 0l2.7-2.7M15.5 15.5l2.7-2.7a4.2 4.2 0 0 0-6-6l-.9.9" />
      <path d="M3.5 3.5l17 17" />
    </>
  ),
  clock: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 6.8V12l3.5 2.2" />
    </>
  ),
  question: (
    <>
      <circle cx="12" cy="12" r="9" stroke-dasharray="3 2.6" />
      <path d="M9.4 9.6a2.6 2.6 0 1 1 3.7 2.5c-.7.3-1.1.8-1.1 1.6M12 17h.01" />
    </>
  ),
  up: <path d="M12 19V5M6 11l6-6 6 6" />,
  down: <path d="M12 5v14M6 13l6 6 6-6" />,
  idle: <path d="M6 9.5h12M6 14.5h12" />,
  balance: <path d="M12 4v16M7 20h10M4 8h16M4 8l-2 6h5zM20 8l-3 6h5z" />,
  retry: (
    <>
      <path d="M20 12a8 8 0 1 1-2.6-5.9" />
      <path d="M20.5 3v4.5H16" />
    </>
  ),
  chevron: <path d="m9 5 7 7-7 7" />,
  sun: (
    <>
      <circle cx="12" cy="12" r="4.2" />
      <path d="M12 2.5v2.2M12 19.3v2.2M2.5 12h2.2M19.3 12h2.2M5.3 5.3l1.5 1.5M17.2 17.2l1.5 1.5M18.7 5.3l-1.5 1.5M6.8 17.2l-1.5 1.5" />
    </>
  ),
  moon: <path d="M20 14.2A8.3 8.3 0 0 1 9.8 4a8.3 8.3 0 1 0 10.2 10.2z" />,
  auto: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor" />
    </>
  ),
  off: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M7.5 12h9" />
    </>
  ),
  flask: (
    <path d="M9.5 3.5h5M10.5 3.5v6L5 19a1.6 1.6 0 0 0 1.4 2.4h11.2A1.6 1.6 0 0 0 19 19l-5.5-9.5v-6M7.6 15h8.8" />
  ),
} satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof SHAPES;

/** Decorative: the word stands beside it. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {SHAPES[name]}
    </svg>
  );
}
