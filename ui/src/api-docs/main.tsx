/** The API's description as a page to read: a page of its own, open to all, from the gateway alone. */
import { render } from 'preact';
import { languageShown } from '../parts/preferences.ts';
import '../style/base.css';
import './api-docs.css';
import { ApiDocs } from './page.tsx';

const root = document.getElementById('app');
if (root) void languageShown.then(() => render(<ApiDocs />, root));
