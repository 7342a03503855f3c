/** Where the page begins. */
import { render } from 'preact';
import { languageShown } from './parts/preferences.ts';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/controls.css';
import './style/batteries.css';
import './style/estimates.css';
import './style/pages.css';
import './style/access.css';
import './style/report.css';
import { checkSession } from './api/session.ts';
import { App } from './app.tsx';
import { runFeed } from './live/live.ts';

runFeed();
void checkSession();
const root = document.getElementById('app');
if (root) void languageShown.then(() => render(<App />, root));
