/** A chemistry in the configuration, and what else people write for one. */
import Type from 'typebox';
import { CHEMISTRIES } from '../../core/topology/topology.ts';

const CHEMISTRY_ALIASES = {
  lifepo4: 'lfp',
  lifepo: 'lfp',
  lifeypo4: 'lfp',
  lithiumironphosphate: 'lfp',
  ironphosphate: 'lfp',
  nickelcobaltaluminium: 'nca',
  nmc811: 'nmc',
  nmc622: 'nmc',
  ncm: 'nmc',
  liion: 'nmc',
  lithiumion: 'nmc',
  linimncoo2: 'nmc',
  titanate: 'lto',
  lithiumtitanate: 'lto',
  sodium: 'other',
  naion: 'other',
  agm: 'other',
  leadacid: 'other',
  lead: 'other',
};

export const ChemistryName = (description: string) =>
  Type.Enum([...CHEMISTRIES], { aliases: CHEMISTRY_ALIASES, description });
