/** The gateway in three sentences. */
import { expect, test } from 'vitest';
import type { ComponentStatus } from '../../../core/contract/http.ts';
import { counterValue, sentencesOf } from './system.ts';

const part = (name: string, more: Partial<ComponentStatus> = {}): ComponentStatus => ({
  name,
  state: 'ok',
  reason: null,
  counters: {},
  ...more,
});
const store = part('store', { counters: { used_bytes: 147_500, max_bytes: 4e9 } });
const upstream = part('upstream', { counters: { lag_rows: 0 } });

test('readings, storage, centre: all well', () => {
  const found = sentencesOf([store, part('connection:a'), upstream, part('clock'), part('sampler')]);
  expect(found).toEqual([
    { title: 'Readings', state: 'ok', text: '1 of 1 connections work' },
    { title: 'Storage', state: 'ok', text: '147.5 kB of 4.00 GB used' },
    { title: 'Centre', state: 'ok', text: 'Everything is sent' },
  ]);
});

test('one connection that is down is no total loss; all of them are', () => {
  const down = part('connection:b', { state: 'down', reason: 'no frame' });
  expect(sentencesOf([part('connection:a'), down])[0]).toMatchObject({
    state: 'degraded',
    text: '1 of 2 connections work',
  });
  expect(sentencesOf([down, part('sampler')])[0].state).toBe('down');
});

test('what is wrong is said in the words of the part; what is sent later is counted', () => {
  const fault = part('store', { state: 'down', reason: 'the disk is full' });
  const late = part('upstream', { counters: { lag_rows: 1234 } });
  const texts = sentencesOf([fault, late]).map(({ text }) => text);
  expect(texts.slice(1)).toEqual(['the disk is full', '1234 rows still to send']);
  expect(sentencesOf([part('upstream', { state: 'off' })])[1].text).toBe('None is configured');
});

test('who may not see counters gets no figures, and no empty ones', () => {
  expect(sentencesOf([part('store')])[1]).toEqual({ title: 'Storage', state: 'ok', text: '' });
});

test('a yes is no number', () => {
  expect([counterValue('certain', 1), counterValue('certain', 0)]).toEqual(['Yes', 'No']);
});
